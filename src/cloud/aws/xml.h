// The XML that the query protocols answer with, as a plain tree. Parsed by pugixml, which stays
// behind xml.cc. Attributes and namespaces mean nothing in these protocols and are left out.
#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hive::cloud::aws {

struct Element {
  std::string name;
  std::string text;  // of a leaf, as it stands
  std::vector<Element> children;

  // The first child of that name, or nullptr.
  const Element* child(std::string_view wanted) const;
  // The element at "a/b/c", or nullptr.
  const Element* at(std::string_view path) const;
  // Its text; empty when it is absent.
  std::string text_at(std::string_view path) const;
  // The decimal number that its text begins with; `otherwise` when it is absent, begins with none,
  // or with one that Number does not hold.
  template <typename Number>
  Number number_at(std::string_view path, Number otherwise = 0) const {
    const std::string digits = text_at(path);
    std::from_chars(digits.data(), digits.data() + digits.size(), otherwise);
    return otherwise;
  }
  // The entries of the list at the path ("item" or "member" elements); empty when absent.
  std::vector<const Element*> list_at(std::string_view path) const;
};

// kCorrupt when it is not XML, with more than one root, or nested deeper than any answer of AWS.
Result<Element> parse_xml(std::string_view text);

}  // namespace hive::cloud::aws
