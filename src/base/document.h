// A parsed text file that remembers where everything stood.
//
// YAML and JSON become one tree of nodes, each with its place, so that whoever reads a field can
// point at it. Scalars stay text: what "off" or "36 GiB" means is for the reader of the field to
// say. Aliases and merge keys are refused, depth and size are bounded: files are hostile.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace presil {

/// A named text: a file, or a command-line argument.
struct Source {
  std::string name;
  std::string text;
};

/// A stretch of a Source. `line` and `column` are 1-based; line 0 is the source as a whole.
struct Place {
  std::shared_ptr<const Source> source;
  int line = 0;
  int column = 1;
  int length = 1;
};

struct Node {
  enum class Kind { null, scalar, sequence, mapping };

  Kind kind = Kind::null;
  std::string text;  // of a scalar
  bool quoted = false;
  Place place;  // of a mapping or sequence: of the key that names it
  std::vector<Node> items;
  struct Member;
  std::vector<Member> members;  // in file order

  /// The member called `key`, or nullptr. Requires a mapping.
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
  /// The member called `key`; a new one, written at `place`, if there is none. Makes this a
  /// mapping.
  Node& member(std::string_view key, const Place& place);
};

struct Node::Member {
  Node key;
  Node value;
};

enum class Syntax { yaml, json };

/// Collects the complaints of one input, so that all are reported and not the first only.
class Diagnostics {
 public:
  void add(const Place& place, std::string message);
  bool empty() const { return list_.empty(); }
  std::size_t size() const { return list_.size(); }
  /// Throws InputError with everything collected; does nothing when there is nothing.
  void throw_if_any() const;

 private:
  std::vector<Diagnostic> list_;
};

/// Parses `source`. Throws InputError for malformed text, duplicate keys, aliases, text over
/// 16 MiB or nesting over 64 levels.
Node parse_document(std::shared_ptr<const Source> source, Syntax syntax);

/// Reads and parses a file. Throws MissingInput when it cannot be opened. In messages a file under
/// `home` is named relative to it, so that results do not depend on where the repository is.
Node read_document(const std::filesystem::path& path, Syntax syntax,
                   const std::filesystem::path& home = {});

/// The whole of a text file of at most `max_bytes`. Throws MissingInput or InputError.
std::string read_text(const std::filesystem::path& path, std::size_t max_bytes);

/// One "--set a.b.c=value" argument: puts a scalar at the dotted path, making mappings on the way.
/// The new node's place points into the argument. Throws InputError without '=' or with an empty
/// key, or where the path runs through a scalar.
void apply_override(Node& root, std::string_view path, std::string_view value,
                    const std::shared_ptr<const Source>& argument);

/// `name` if it is near enough to one of `known` to be a slip: the nearest by edit distance, or "".
std::string nearest(std::string_view name, const std::vector<std::string>& known);

}  // namespace presil
