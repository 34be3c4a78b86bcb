// SHA-256, the name by which contents are known: of a file, of a run's inputs.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace presil {

/// A digest that grows with the bytes it is fed.
class Sha256 {
 public:
  Sha256();
  void update(std::string_view bytes);
  /// The digest of everything fed so far, as 64 lower-case hex digits. Ends the digest.
  std::string finish();

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;  // OpenSSL's EVP_MD_CTX
};

/// The SHA-256 of `bytes`, as 64 lower-case hex digits.
std::string sha256(std::string_view bytes);

/// The SHA-256 of a file's contents. Throws MissingInput when it cannot be read.
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace presil
