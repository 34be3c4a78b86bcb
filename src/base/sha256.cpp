#include "base/sha256.h"

#include <array>
#include <fstream>
#include <vector>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/error.h"

namespace presil {

namespace {
EVP_MD_CTX* evp(const auto& context) {
  return static_cast<EVP_MD_CTX*>(context.get());
}
}  // namespace

void Sha256::Free::operator()(void* context) const {
  EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context));
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  CHECK(context_ && EVP_DigestInit_ex(evp(context_), EVP_sha256(), nullptr) == 1,
        "OpenSSL has SHA-256");
}

void Sha256::update(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(evp(context_), bytes.data(), bytes.size()) == 1, "a digest takes bytes");
}

std::string Sha256::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  CHECK(EVP_DigestFinal_ex(evp(context_), digest.data(), &length) == 1, "a digest ends once");
  std::string hex;
  for (unsigned int i = 0; i < length; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

std::string sha256(std::string_view bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.finish();
}

std::string sha256_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw MissingInput("cannot read " + path.string());
  Sha256 digest;
  std::vector<char> block(std::size_t{1} << 20);
  while (file) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    digest.update({block.data(), static_cast<std::size_t>(file.gcount())});
  }
  if (file.bad() || !file.eof()) throw MissingInput("cannot read " + path.string());
  return digest.finish();
}

}  // namespace presil
