#include "config/interpolate.h"

#include <fmt/core.h>

#include <optional>

#include "config/findings.h"

namespace hive::config {

namespace {

bool starts_name(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool continues_name(char c) { return starts_name(c) || (c >= '0' && c <= '9'); }

std::string_view take_name(std::string_view text) {
  if (text.empty() || !starts_name(text[0])) return {};
  std::size_t length = 1;
  while (length < text.size() && continues_name(text[length])) ++length;
  return text.substr(0, length);
}

// What follows the name inside the braces: ":-text", "-text", ":?text", "?text" or nothing.
struct Operator {
  char kind = 0;           // '-', '?' or 0
  bool empty_too = false;  // with ':'
  std::string_view argument;
};

std::optional<Operator> parse_operator(std::string_view rest) {
  if (rest.empty()) return Operator{};
  Operator op;
  op.empty_too = rest[0] == ':';
  if (op.empty_too) rest.remove_prefix(1);
  if (rest.empty() || (rest[0] != '-' && rest[0] != '?')) return std::nullopt;
  op.kind = rest[0];
  op.argument = rest.substr(1);
  return op;
}

Result<std::string> apply(std::string_view name, const Operator& op, const StringMap& environment,
                          std::vector<std::string>& unset) {
  const auto found = environment.find(std::string(name));
  const bool missing = found == environment.end() || (op.empty_too && found->second.empty());
  if (!missing) return found->second;
  if (op.kind == '-') return std::string(op.argument);
  if (op.kind == '?')
    return fail(
        Errc::kInvalidArgument,
        fmt::format("variable {} must be set{}{}", name, op.empty_too ? " and not empty" : "",
                    op.argument.empty() ? "" : fmt::format(": {}", op.argument)));
  unset.emplace_back(name);
  return std::string();
}

tl::unexpected<Error> invalid(std::string_view text) {
  return fail(Errc::kInvalidArgument,
              fmt::format("invalid variable in {}: after $ comes a name, {{name}} or another $ "
                          "(write $$ for a plain $)",
                          in_quotes(text)));
}

}  // namespace

Result<Substituted> substitute(std::string_view text, const StringMap& environment) {
  Substituted out;
  std::string_view rest = text;
  while (true) {
    const auto dollar = rest.find('$');
    out.text += rest.substr(0, dollar);
    if (dollar == std::string_view::npos) return out;
    rest.remove_prefix(dollar + 1);
    if (rest.starts_with('$')) {
      out.text += '$';
      rest.remove_prefix(1);
      continue;
    }
    const bool braced = rest.starts_with('{');
    const std::string_view name = take_name(rest.substr(braced ? 1 : 0));
    if (name.empty()) return invalid(text);
    std::optional<Operator> op = Operator{};
    std::size_t taken = name.size();
    if (braced) {
      const auto close = rest.find('}');
      if (close == std::string_view::npos) return invalid(text);
      op = parse_operator(rest.substr(1 + name.size(), close - 1 - name.size()));
      taken = close + 1;
    } else {
      // docker's pattern lets the operators follow an unbraced name too: "$VAR-text" reads as
      // "${VAR-text}" up to the next brace or the end.
      const auto tail = rest.substr(name.size(), rest.find('}') - name.size());
      if (const auto loose = parse_operator(tail); loose && loose->kind != 0) {
        op = loose;
        taken = name.size() + tail.size();
      }
    }
    if (!op) return invalid(text);
    HIVE_ASSIGN(const std::string value, apply(name, *op, environment, out.unset));
    out.text += value;
    rest.remove_prefix(taken);
  }
}

}  // namespace hive::config
