#include "base/document.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <numeric>

#include <fmt/format.h>
#include <libfyaml.h>

#include "base/utf8.h"

namespace presil {
namespace {

constexpr std::size_t kMaxText = 16u << 20;
constexpr int kMaxDepth = 64;
// YAML's line breaks, old and new, and the byte order mark: a directive may follow each.
constexpr std::string_view kLineEnds[] = {"\n",           "\r",           "\xc2\x85",
                                          "\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf"};
constexpr std::size_t kMaxComplaints = 100;  // of one input; nobody mends more at a time

std::string line_of(const Source& source, int line) {
  std::size_t begin = 0;
  for (int i = 1; i < line; ++i) {
    begin = source.text.find('\n', begin);
    if (begin == std::string::npos) return {};
    ++begin;
  }
  std::string text = source.text.substr(begin, source.text.find('\n', begin) - begin);
  if (!text.empty() && text.back() == '\r') text.pop_back();
  std::replace(text.begin(), text.end(), '\t', ' ');
  return text.size() <= 200 ? text : text.substr(0, 200);
}

/// Complains about the first thing that libfyaml's scanner may never come back from: a byte that is
/// not UTF-8, or a directive, which none of our files needs.
void check_scannable(const std::shared_ptr<const Source>& source, Diagnostics& log) {
  const std::string_view text = source->text;
  Place place{source, 1, 1, 1};
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Head head = utf8_head(text.substr(at));
    if (head.state != Utf8::whole) return log.add(place, "expected text in UTF-8");
    const std::string_view character = text.substr(at, head.length);
    if (character == "%" && place.column == 1) {
      return log.add(place, "directives (lines that start with %) are not supported");
    }
    at += head.length;
    place.column += 1;
    if (character == "\n") ++place.line;
    const bool ends_line =
        std::find(std::begin(kLineEnds), std::end(kLineEnds), character) != std::end(kLineEnds);
    if (ends_line) place.column = 1;
  }
}

struct DiagCloser {
  void operator()(fy_diag* d) const {
    fy_diag_reset_error(d);  // frees the collected errors, which fy_diag_unref does not
    fy_diag_unref(d);
  }
};
struct ParserCloser {
  void operator()(fy_parser* p) const { fy_parser_destroy(p); }
};
struct DocumentCloser {
  fy_parser* parser = nullptr;
  void operator()(fy_document* d) const { fy_parse_document_destroy(parser, d); }
};
using Document = std::unique_ptr<fy_document, DocumentCloser>;

/// Copies libfyaml's tree into ours; complaints go to `log`.
class Importer {
 public:
  Importer(std::shared_ptr<const Source> source, Diagnostics& log)
      : source_(std::move(source)), log_(log) {}

  Node import(fy_node* from, const Place& around, int depth) {
    Node node;
    node.place = around;
    if (from == nullptr) return node;
    if (depth > kMaxDepth) {
      log_.add(around, fmt::format("nested more than {} levels deep", kMaxDepth));
      return node;
    }
    switch (fy_node_get_type(from)) {
      case FYNT_SCALAR:
        import_scalar(from, node);
        break;
      case FYNT_SEQUENCE: {
        node.kind = Node::Kind::sequence;
        void* at = nullptr;
        while (fy_node* item = fy_node_sequence_iterate(from, &at)) {
          node.items.push_back(import(item, around, depth + 1));
        }
        break;
      }
      case FYNT_MAPPING: {
        node.kind = Node::Kind::mapping;
        std::map<std::string, int, std::less<>> lines;  // of the keys so far
        void* at = nullptr;
        while (fy_node_pair* pair = fy_node_mapping_iterate(from, &at)) {
          Node key = import(fy_node_pair_key(pair), around, depth + 1);
          if (key.kind != Node::Kind::scalar) log_.add(key.place, "a key must be plain text");
          if (key.text == "<<") log_.add(key.place, "merge keys (<<) are not supported");
          const auto [first, is_new] = lines.emplace(key.text, key.place.line);
          if (!is_new) {
            log_.add(key.place,
                     fmt::format("duplicate key '{}', as in line {}", key.text, first->second));
          }
          Node value = import(fy_node_pair_value(pair), key.place, depth + 1);
          node.members.push_back({std::move(key), std::move(value)});
        }
        break;
      }
    }
    return node;
  }

 private:
  void import_scalar(fy_node* from, Node& node) {
    std::size_t length = 0;
    const char* text = fy_node_get_scalar(from, &length);
    node.text.assign(text == nullptr ? "" : text, length);
    const fy_node_style style = fy_node_get_style(from);
    node.quoted = style == FYNS_DOUBLE_QUOTED || style == FYNS_SINGLE_QUOTED;
    const bool is_null =
        !node.quoted && (node.text.empty() || node.text == "null" || node.text == "~");
    node.kind = is_null ? Node::Kind::null : Node::Kind::scalar;
    if (fy_token* token = fy_node_get_scalar_token(from)) {
      const fy_mark* start = fy_token_start_mark(token);
      const fy_mark* end = fy_token_end_mark(token);
      if (start != nullptr && end != nullptr) {
        node.place = {source_, start->line + 1, start->column + 1, 1};
        if (end->line == start->line) node.place.length = std::max(1, end->column - start->column);
      }
    }
    if (fy_node_is_alias(from)) log_.add(node.place, "aliases (*name) are not supported");
  }

  std::shared_ptr<const Source> source_;
  Diagnostics& log_;
};

void collect_syntax_errors(fy_diag* diag, const std::shared_ptr<const Source>& source,
                           Diagnostics& log) {
  void* at = nullptr;
  while (const fy_diag_error* e = fy_diag_errors_iterate(diag, &at)) {
    std::string message = e->msg == nullptr ? "malformed" : e->msg;
    while (!message.empty() && message.back() == '\n') message.pop_back();
    log.add({source, std::max(1, e->line), std::max(1, e->column), 1}, message);
  }
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const auto& [name, value] : members) {
    if (name.text == key) return &value;
  }
  return nullptr;
}

Node* Node::find(std::string_view key) {
  return const_cast<Node*>(std::as_const(*this).find(key));
}

Node& Node::member(std::string_view key, const Place& at) {
  kind = Kind::mapping;
  if (Node* found = find(key)) return *found;
  Node name;
  name.kind = Kind::scalar;
  name.text = std::string(key);
  name.place = at;
  Node empty;
  empty.place = at;
  members.push_back({std::move(name), std::move(empty)});
  return members.back().value;
}

void Diagnostics::add(const Place& place, std::string message) {
  if (list_.size() == kMaxComplaints) return;
  Diagnostic d{.file = place.source ? place.source->name : std::string(),
               .line = place.line,
               .column = place.column,
               .length = place.length,
               .message = std::move(message),
               .source_line = {}};
  if (place.source && place.line > 0) d.source_line = line_of(*place.source, place.line);
  list_.push_back(std::move(d));
}

void Diagnostics::throw_if_any() const {
  if (list_.empty()) return;
  std::vector<Diagnostic> sorted = list_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.file, a.line, a.column) < std::tie(b.file, b.line, b.column);
  });
  throw InputError(std::move(sorted));
}

Node parse_document(std::shared_ptr<const Source> source, Syntax syntax) {
  Diagnostics log;
  if (source->text.size() > kMaxText) {
    log.add({source, 0, 1, 1}, fmt::format("expected at most {} MiB", kMaxText >> 20));
  } else {
    check_scannable(source, log);
  }
  log.throw_if_any();
  fy_diag_cfg diag_cfg;
  fy_diag_cfg_default(&diag_cfg);
  diag_cfg.fp = nullptr;
  const std::unique_ptr<fy_diag, DiagCloser> diag(fy_diag_create(&diag_cfg));
  CHECK(diag != nullptr, "libfyaml gives a diagnostic sink");
  fy_diag_set_collect_errors(diag.get(), true);
  fy_parse_cfg cfg{};
  // Duplicate keys are ours to find: libfyaml compares each key with all before it.
  cfg.flags = static_cast<fy_parse_cfg_flags>(
      FYPCF_COLLECT_DIAG | FYPCF_ALLOW_DUPLICATE_KEYS |
      (syntax == Syntax::json ? FYPCF_JSON_FORCE : FYPCF_JSON_NONE));
  cfg.diag = diag.get();
  const std::unique_ptr<fy_parser, ParserCloser> parser(fy_parser_create(&cfg));
  CHECK(parser != nullptr, "libfyaml gives a parser");
  fy_parser_set_string(parser.get(), source->text.data(), source->text.size());
  const auto next_document = [&] {
    return Document(fy_parse_load_document(parser.get()), DocumentCloser{parser.get()});
  };
  const Document document = next_document();
  const Place whole{source, 1, 1, 1};
  const Document second = document ? next_document() : nullptr;
  if (second) log.add(whole, "expected one document, found another behind a '---' line");
  if (!document || fy_diag_got_error(diag.get())) {
    collect_syntax_errors(diag.get(), source, log);
    if (log.empty()) log.add(whole, "malformed or empty");
    log.throw_if_any();
  }
  Node root = Importer(source, log).import(fy_document_root(document.get()), whole, 0);
  log.throw_if_any();
  return root;
}

std::string read_text(const std::filesystem::path& path, std::size_t max_bytes) {
  std::error_code error;
  if (const auto status = std::filesystem::status(path, error);
      !std::filesystem::is_regular_file(status)) {
    const bool exists = std::filesystem::exists(status);
    throw MissingInput(
        fmt::format("{}: {}", path.string(), exists ? "not a file" : "no such file"));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) throw MissingInput(fmt::format("{}: cannot be opened", path.string()));
  if (std::filesystem::file_size(path, error) > max_bytes || error) {
    throw InputError(
        fmt::format("{}: expected at most {} bytes, found more", path.string(), max_bytes));
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Node read_document(const std::filesystem::path& path, Syntax syntax,
                   const std::filesystem::path& home) {
  std::string name = path.string();
  if (!home.empty()) {
    const std::filesystem::path inside = path.lexically_proximate(home);
    if (!inside.empty() && *inside.begin() != "..") name = inside.string();
  }
  auto source = std::make_shared<Source>(Source{std::move(name), read_text(path, kMaxText)});
  return parse_document(std::move(source), syntax);
}

void apply_override(Node& root, std::string_view path, std::string_view value,
                    const std::shared_ptr<const Source>& argument) {
  const std::size_t start = argument->text.find(path);
  const int offset = start == std::string::npos ? 0 : static_cast<int>(start);
  Node* node = &root;
  std::size_t begin = 0;
  Diagnostics log;
  while (true) {
    const std::size_t dot = std::min(path.find('.', begin), path.size());
    const std::string_view key = path.substr(begin, dot - begin);
    const Place place{argument, 1, offset + static_cast<int>(begin) + 1,
                      std::max(1, static_cast<int>(key.size()))};
    if (key.empty()) log.add(place, "expected key=value, found an empty key");
    if (node->kind == Node::Kind::scalar || node->kind == Node::Kind::sequence) {
      log.add(place,
              fmt::format("'{}' is not a group of fields", path.substr(0, begin ? begin - 1 : 0)));
    }
    log.throw_if_any();
    node = &node->member(key, place);
    if (dot == path.size()) break;
    begin = dot + 1;
  }
  *node = Node{};
  node->kind = Node::Kind::scalar;
  node->text = std::string(value);
  const int column = offset + static_cast<int>(path.size()) + 2;
  node->place = {argument, 1, column, std::max(1, static_cast<int>(value.size()))};
}

std::string nearest(std::string_view name, const std::vector<std::string>& known) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  std::vector<std::size_t> row;
  for (const std::string& candidate : known) {
    row.resize(candidate.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < name.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i + 1;
      for (std::size_t j = 0; j < candidate.size(); ++j) {
        const std::size_t substitute = diagonal + (name[i] == candidate[j] ? 0 : 1);
        diagonal = row[j + 1];
        row[j + 1] = std::min({substitute, row[j] + 1, diagonal + 1});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

}  // namespace presil
