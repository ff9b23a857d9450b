#include "cloud/aws/xml.h"

#include <pugixml.hpp>

#include "base/text.h"

namespace hive::cloud::aws {
namespace {

constexpr int kMaxDepth = 64;

Status convert(const pugi::xml_node& from, Element& to, int depth) {
  if (depth > kMaxDepth) return fail(Errc::kCorrupt, "an XML answer is nested too deeply");
  to.name = from.name();
  if (const auto colon = to.name.find(':'); colon != std::string::npos) to.name.erase(0, colon + 1);
  for (const auto& child : from.children()) {
    if (child.type() == pugi::node_element) {
      HIVE_TRY(convert(child, to.children.emplace_back(), depth + 1));
    } else if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
      to.text += child.value();
    }
  }
  // Between children there is but layout.
  if (!to.children.empty()) to.text.clear();
  return {};
}

}  // namespace

const Element* Element::child(std::string_view wanted) const {
  for (const auto& one : children)
    if (one.name == wanted) return &one;
  return nullptr;
}

const Element* Element::at(std::string_view path) const {
  const Element* here = this;
  for (const auto& step : split(path, '/')) {
    here = here->child(step);
    if (here == nullptr) return nullptr;
  }
  return here;
}

std::string Element::text_at(std::string_view path) const {
  const Element* found = at(path);
  return found == nullptr ? "" : found->text;
}

std::vector<const Element*> Element::list_at(std::string_view path) const {
  std::vector<const Element*> out;
  if (const Element* list = at(path))
    for (const auto& one : list->children)
      if (one.name == "item" || one.name == "member") out.push_back(&one);
  return out;
}

Result<Element> parse_xml(std::string_view text) {
  pugi::xml_document document;
  const auto parsed = document.load_buffer(text.data(), text.size(),
                                           pugi::parse_default | pugi::parse_ws_pcdata_single);
  if (!parsed)
    return fail(Errc::kCorrupt, "an answer is not XML: " + std::string(parsed.description()) +
                                    " at byte " + std::to_string(parsed.offset));
  Element root;
  int roots = 0;
  for (const auto& node : document.children()) {
    if (node.type() != pugi::node_element) continue;
    if (++roots > 1) return fail(Errc::kCorrupt, "an answer has more than one XML root");
    HIVE_TRY(convert(node, root, 0));
  }
  if (roots == 0) return fail(Errc::kCorrupt, "an answer is empty where XML was due");
  return root;
}

}  // namespace hive::cloud::aws
