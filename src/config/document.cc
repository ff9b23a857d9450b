#include "config/document.h"

#include <fmt/core.h>
#include <libfyaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <unordered_map>

namespace hive::config {

const Node* Node::find(std::string_view key) const {
  for (const auto& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

Node* Node::find(std::string_view key) {
  return const_cast<Node*>(static_cast<const Node*>(this)->find(key));  // NOLINT
}

std::string_view kind_name(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::kNull:
      return "empty (null)";
    case Node::Kind::kBool:
      return "a boolean";
    case Node::Kind::kInt:
      return "an integer";
    case Node::Kind::kFloat:
      return "a number";
    case Node::Kind::kString:
      return "a string";
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "a mapping";
  }
  return "";
}

namespace {

struct ParserDeleter {
  void operator()(fy_parser* parser) const { fy_parser_destroy(parser); }
};
struct DiagDeleter {
  void operator()(fy_diag* diag) const { fy_diag_destroy(diag); }
};

struct EventReleaser {
  fy_parser* parser;
  void operator()(fy_event* event) const { fy_parser_event_free(parser, event); }
};
using Event = std::unique_ptr<fy_event, EventReleaser>;

// Builds the tree from libfyaml's events. libfyaml's own document builder would stop at the first
// duplicate key and expand aliases without a bound of ours.
class Builder {
 public:
  Builder(const std::vector<SourceFile>& sources, std::uint32_t file, Findings& findings)
      : file_(file), findings_(&findings), content_(&sources[file].content) {}

  std::optional<Node> run();

 private:
  Event next() { return {fy_parser_parse(parser_.get()), EventReleaser{parser_.get()}}; }
  Position position_of(fy_token* token) const;
  static std::string text_of(fy_token* token);
  static std::string tag_of(fy_token* token);
  void report_syntax_error();
  Position first_tab(Position fallback) const;
  Position inside(Position where) const;
  // False: stop, a fault was reported.
  bool build(const Event& event, int depth, Node& out);
  bool build_scalar(const fy_event& event, Node& out);
  bool build_alias(const fy_event& event, Node& out);
  bool build_list(const fy_event& event, int depth, Node& out);
  bool build_map(const fy_event& event, int depth, Node& out);
  bool add_entry(const Event& key_event, int depth, Node& out,
                 std::map<std::string, Position>& written);
  void put(Node& map, Entry entry);
  void merge_into(Node& map, const Node& source, const std::map<std::string, Position>& written);
  void merge_one(Node& map, const Node& source, const std::map<std::string, Position>& written);
  bool count(std::size_t nodes, Position where);
  void remember(fy_token* anchor, const Node& node);

  std::uint32_t file_;
  Findings* findings_;
  const std::string* content_;
  std::unique_ptr<fy_diag, DiagDeleter> diag_;
  std::unique_ptr<fy_parser, ParserDeleter> parser_;
  struct Anchored {
    Node node;
    std::size_t size;
  };
  std::unordered_map<std::string, Anchored> anchors_;
  std::size_t nodes_ = 0;
  Position last_;
};

std::size_t size_of(const Node& node) {
  std::size_t size = 1 + node.text.size() / 64;
  for (const auto& item : node.items) size += size_of(item);
  for (const auto& entry : node.entries) size += 1 + size_of(entry.value);
  return size;
}

Position Builder::position_of(fy_token* token) const {
  const fy_mark* mark = token != nullptr ? fy_token_start_mark(token) : nullptr;
  if (mark == nullptr) return last_;
  return Position{file_, static_cast<std::uint32_t>(mark->line) + 1,
                  static_cast<std::uint32_t>(mark->column) + 1};
}

std::string Builder::text_of(fy_token* token) {
  if (token == nullptr) return "";
  std::size_t length = 0;
  const char* text = fy_token_get_text(token, &length);
  return text == nullptr ? "" : std::string(text, length);
}

std::string Builder::tag_of(fy_token* token) {
  if (token == nullptr) return "";
  std::size_t handle_length = 0;
  std::size_t suffix_length = 0;
  const char* handle = fy_tag_token_handle(token, &handle_length);
  const char* suffix = fy_tag_token_suffix(token, &suffix_length);
  const std::string_view handle_text(handle == nullptr ? "" : handle, handle_length);
  const std::string_view suffix_text(suffix == nullptr ? "" : suffix, suffix_length);
  static constexpr std::string_view kLong = "tag:yaml.org,2002:";
  if (handle_text == "!!") return std::string(suffix_text);
  if (suffix_text.starts_with(kLong)) return std::string(suffix_text.substr(kLong.size()));
  return "!" + std::string(suffix_text);
}

Position Builder::first_tab(Position fallback) const {
  std::string_view text = *content_;
  for (std::uint32_t line = 1; !text.empty(); ++line) {
    const auto indent = text.substr(0, text.find_first_not_of(" \t"));
    const auto tab = indent.find('\t');
    if (tab != std::string_view::npos)
      return Position{file_, line, static_cast<std::uint32_t>(tab) + 1};
    const auto newline = text.find('\n');
    if (newline == std::string_view::npos) break;
    text.remove_prefix(newline + 1);
  }
  return fallback;
}

// What is found only where the file ends is shown at the end of its last line.
Position Builder::inside(Position where) const {
  std::string_view text = *content_;
  while (text.ends_with('\n') || text.ends_with(' ')) text.remove_suffix(1);
  const auto lines = static_cast<std::uint32_t>(1 + std::count(text.begin(), text.end(), '\n'));
  if (where.line <= lines) return where;
  const auto last = text.size() - (text.rfind('\n') + 1);  // npos + 1 is 0
  return {where.file, lines, static_cast<std::uint32_t>(last) + 1};
}

void Builder::report_syntax_error() {
  Position where = last_;
  std::string message = "the YAML cannot be parsed";
  void* iterator = nullptr;
  while (const fy_diag_error* error = fy_diag_errors_iterate(diag_.get(), &iterator)) {
    if (error->type != FYET_ERROR || error->msg == nullptr) continue;
    message = std::string("not valid YAML: ") + error->msg;
    if (error->line > 0)  // libfyaml counts these from 1
      where = inside({file_, static_cast<std::uint32_t>(error->line),
                      static_cast<std::uint32_t>(std::max(error->column, 1))});
    break;
  }
  if (where.line == 0) where = Position{file_, 1, 1};
  // libfyaml reports a tab only lines after it.
  if (message.find("tab character") != std::string::npos) where = first_tab(where);
  findings_->fault(where, message);
}

bool Builder::count(std::size_t nodes, Position where) {
  nodes_ += nodes;
  if (nodes_ <= kMaxNodes) return true;
  findings_->fault(
      where,
      fmt::format("the file has more than {} values once its aliases are expanded", kMaxNodes),
      "aliases of aliases grow without bound: write the values out");
  return false;
}

void Builder::remember(fy_token* anchor, const Node& node) {
  if (anchor == nullptr) return;
  anchors_.insert_or_assign(text_of(anchor), Anchored{node, size_of(node)});
}

std::optional<Node> Builder::run() {
  const fy_diag_cfg diag_config{.fp = nullptr,
                                .output_fn = [](fy_diag*, void*, const char*, std::size_t) {},
                                .level = FYET_ERROR,
                                .module_mask = ~0U};
  diag_.reset(fy_diag_create(&diag_config));
  if (diag_ == nullptr) return std::nullopt;
  fy_diag_set_collect_errors(diag_.get(), true);
  const fy_parse_cfg config{
      .search_path = "",
      .flags = static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_COLLECT_DIAG |
                                               FYPCF_DEFAULT_VERSION_1_1 | FYPCF_JSON_NONE),
      .diag = diag_.get()};
  parser_.reset(fy_parser_create(&config));
  if (parser_ == nullptr ||
      fy_parser_set_string(parser_.get(), content_->data(), content_->size()) != 0) {
    findings_->fault(Position{file_, 1, 1}, "the YAML parser cannot be started");
    return std::nullopt;
  }
  last_ = Position{file_, 1, 1};
  std::optional<Node> document;
  while (Event event = next()) {
    switch (event->type) {
      case FYET_STREAM_START:
      case FYET_DOCUMENT_END:
        break;
      case FYET_DOCUMENT_START:
        if (document) {
          findings_->fault(position_of(event->document_start.document_start),
                           "a second YAML document begins here",
                           "put it into a file of its own and name both with -f");
          return document;
        }
        break;
      case FYET_STREAM_END:
        return document ? document : Node{.kind = Node::Kind::kNull, .position = last_};
      default: {
        Node root;
        if (!build(event, 0, root)) return std::nullopt;
        document = std::move(root);
      }
    }
  }
  report_syntax_error();
  return std::nullopt;
}

bool Builder::build(const Event& event, int depth, Node& out) {
  if (!event) {
    report_syntax_error();
    return false;
  }
  if (depth > kMaxDepth) {
    findings_->fault(last_, fmt::format("nested more than {} levels deep", kMaxDepth));
    return false;
  }
  switch (event->type) {
    case FYET_SCALAR:
      return build_scalar(*event, out);
    case FYET_ALIAS:
      return build_alias(*event, out);
    case FYET_SEQUENCE_START:
      return build_list(*event, depth, out);
    case FYET_MAPPING_START:
      return build_map(*event, depth, out);
    default:
      report_syntax_error();
      return false;
  }
}

bool Builder::build_scalar(const fy_event& event, Node& out) {
  const auto& scalar = event.scalar;
  Position where = position_of(scalar.value);
  const auto style = scalar.value == nullptr ? FYSS_PLAIN : fy_token_scalar_style(scalar.value);
  // libfyaml marks the text inside the quotes: people look for the quote.
  if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && where.column > 1)
    --where.column;
  last_ = where;
  const std::string text = text_of(scalar.value);
  if (!count(1 + text.size() / 64, where)) return false;
  const std::string tag = tag_of(scalar.tag);
  const bool plain = style == FYSS_PLAIN;
  if (tag == "str" || (tag.empty() && !plain) || (!tag.empty() && tag[0] == '!')) {
    out = Node{.kind = Node::Kind::kString, .position = where, .text = text};
  } else {
    out = plain_scalar(text, where);
    const bool fits = tag.empty() || (tag == "int" && out.is(Node::Kind::kInt)) ||
                      (tag == "bool" && out.is(Node::Kind::kBool)) ||
                      (tag == "null" && out.is_null()) || tag == "timestamp" || tag == "binary" ||
                      (tag == "float" && (out.is(Node::Kind::kInt) || out.is(Node::Kind::kFloat)));
    if (!fits)
      findings_->fault(where, fmt::format("{} cannot be read as !!{}", in_quotes(text), tag));
    if (tag == "float" && out.is(Node::Kind::kInt)) {
      out.kind = Node::Kind::kFloat;
      out.number = static_cast<double>(out.integer);
    }
  }
  remember(scalar.anchor, out);
  return true;
}

bool Builder::build_alias(const fy_event& event, Node& out) {
  const Position where = position_of(event.alias.anchor);
  last_ = where;
  const std::string name = text_of(event.alias.anchor);
  const auto found = anchors_.find(name);
  if (found == anchors_.end()) {
    std::vector<std::string> names;
    for (const auto& [known, unused] : anchors_) names.push_back(known);
    std::sort(names.begin(), names.end());
    findings_->fault(where, fmt::format("alias *{} names no anchor above it", name),
                     suggest(name, names));
    out = Node{.position = where};
    return true;
  }
  if (!count(found->second.size, where)) return false;
  out = found->second.node;
  return true;
}

bool Builder::build_list(const fy_event& event, int depth, Node& out) {
  out.kind = Node::Kind::kList;
  out.position = position_of(event.sequence_start.sequence_start);
  last_ = out.position;
  if (!count(1, out.position)) return false;
  while (true) {
    const Event item = next();
    if (item && item->type == FYET_SEQUENCE_END) break;
    if (!build(item, depth + 1, out.items.emplace_back())) return false;
  }
  remember(event.sequence_start.anchor, out);
  return true;
}

bool Builder::build_map(const fy_event& event, int depth, Node& out) {
  out.kind = Node::Kind::kMap;
  out.position = position_of(event.mapping_start.mapping_start);
  last_ = out.position;
  if (!count(1, out.position)) return false;
  std::map<std::string, Position> written;
  while (true) {
    const Event key = next();
    if (key && key->type == FYET_MAPPING_END) break;
    if (!add_entry(key, depth, out, written)) return false;
  }
  remember(event.mapping_start.anchor, out);
  return true;
}

bool Builder::add_entry(const Event& key_event, int depth, Node& out,
                        std::map<std::string, Position>& written) {
  const bool plain_key = key_event && key_event->type == FYET_SCALAR &&
                         (key_event->scalar.value == nullptr ||
                          fy_token_scalar_style(key_event->scalar.value) == FYSS_PLAIN);
  Node key;
  if (!build(key_event, depth + 1, key)) return false;
  const Position where = key.position;
  Entry entry{key.text, where, {}};
  const Event value_event = next();
  if (!build(value_event, depth + 1, entry.value)) return false;
  if (plain_key && key.text == "<<") {
    merge_into(out, entry.value, written);
    return true;
  }
  if (!key.is_string()) {
    const bool collection = key.is_list() || key.is_map();
    findings_->fault(where,
                     fmt::format("a key must be a string, and {} is {}",
                                 collection || key.is_null() ? "this one" : in_quotes(key.text),
                                 kind_name(key.kind)),
                     collection || key.is_null() ? "" : fmt::format("write \"{}\"", key.text));
    return true;
  }
  const auto [first, is_new] = written.emplace(entry.key, where);
  if (!is_new) {
    findings_->fault(where, fmt::format("key {} is here twice", in_quotes(entry.key)),
                     fmt::format("first on line {}", first->second.line));
    return true;
  }
  put(out, std::move(entry));
  return true;
}

void Builder::put(Node& map, Entry entry) {
  for (auto& existing : map.entries) {
    if (existing.key != entry.key) continue;
    existing = std::move(entry);
    return;
  }
  map.entries.push_back(std::move(entry));
}

// `<<`: of several maps the earlier wins.
void Builder::merge_into(Node& map, const Node& source,
                         const std::map<std::string, Position>& written) {
  if (source.is_map()) return merge_one(map, source, written);
  const bool maps_only =
      source.is_list() && std::all_of(source.items.begin(), source.items.end(),
                                      [](const Node& item) { return item.is_map(); });
  if (!maps_only) {
    findings_->fault(source.position, fmt::format("<< merges a mapping or a list of mappings, "
                                                  "and this is {}",
                                                  kind_name(source.kind)));
    return;
  }
  for (auto item = source.items.rbegin(); item != source.items.rend(); ++item)
    merge_one(map, *item, written);
}

void Builder::merge_one(Node& map, const Node& source,
                        const std::map<std::string, Position>& written) {
  for (const auto& entry : source.entries) {
    // docker's YAML reader lets a merge override the keys written before it, against the YAML
    // specification; later docker versions do not.
    if (const auto found = written.find(entry.key); found != written.end())
      findings_->warn(found->second,
                      fmt::format("{} is overridden by the << after it, as docker 20.10 does",
                                  in_quotes(entry.key)),
                      "put << first");
    put(map, entry);
  }
}

}  // namespace

std::optional<Node> parse_document(const std::vector<SourceFile>& sources, std::uint32_t file,
                                   Findings& findings) {
  const auto& content = sources[file].content;
  if (content.size() > kMaxFileBytes) {
    findings.fault(Position{file, 1, 1},
                   fmt::format("the file has {} bytes, and at most {} are read", content.size(),
                               kMaxFileBytes));
    return std::nullopt;
  }
  if (const auto nul = content.find('\0'); nul != std::string::npos) {
    const auto line = std::count(content.begin(), content.begin() + static_cast<long>(nul), '\n');
    findings.fault(Position{file, static_cast<std::uint32_t>(line) + 1, 1},
                   "the file holds a NUL byte: it is not text");
    return std::nullopt;
  }
  return Builder(sources, file, findings).run();
}

}  // namespace hive::config
