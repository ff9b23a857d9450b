#include "cli/natural.h"

#include <algorithm>

namespace hive::cli {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

// Cuts a number off the front: how many zeros it begins with, and the digits after them.
struct Number {
  std::size_t zeros = 0;
  std::string_view digits;
};

Number take_number(std::string_view& text) {
  Number number;
  while (number.zeros < text.size() && text[number.zeros] == '0') ++number.zeros;
  text.remove_prefix(number.zeros);
  std::size_t length = 0;
  while (length < text.size() && digit(text[length])) ++length;
  number.digits = text.substr(0, length);
  text.remove_prefix(length);
  return number;
}

}  // namespace

bool natural_less(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const bool left = digit(a.front());
    if (left != digit(b.front())) return left;
    if (left) {
      const Number x = take_number(a);
      const Number y = take_number(b);
      if (x.digits.size() != y.digits.size()) return x.digits.size() < y.digits.size();
      if (x.digits != y.digits) return x.digits < y.digits;
      if (x.zeros != y.zeros) return x.zeros < y.zeros;
      continue;
    }
    if (a.front() != b.front())
      return static_cast<unsigned char>(a.front()) < static_cast<unsigned char>(b.front());
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  return a.size() < b.size();
}

}  // namespace hive::cli
