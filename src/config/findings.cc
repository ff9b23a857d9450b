#include "config/findings.h"

#include <fmt/core.h>

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace hive::config {

namespace {

constexpr std::size_t kMaxShownLine = 200;

bool before(const Finding& a, const Finding& b) {
  const auto key = [](const Finding& finding) {
    return std::tie(finding.position.file, finding.position.line, finding.position.column,
                    finding.message);
  };
  return key(a) < key(b);
}

std::vector<Finding> sorted(std::vector<Finding> findings) {
  std::sort(findings.begin(), findings.end(), before);
  findings.erase(std::unique(findings.begin(), findings.end()), findings.end());
  return findings;
}

std::string line_of(const SourceFile& source, std::uint32_t number) {
  std::string_view text = source.content;
  for (std::uint32_t at = 1; at < number; ++at) {
    const auto newline = text.find('\n');
    if (newline == std::string_view::npos) return "";
    text.remove_prefix(newline + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return std::string(text.substr(0, kMaxShownLine));
}

// The line as a terminal may show it: tabs become a space (one column each, so that the caret
// stays in place), other control bytes a '?'.
std::string shown(std::string_view line) {
  std::string out(line);
  for (char& c : out) {
    if (c == '\t') c = ' ';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

// The caret's padding: as many columns as the bytes before it show as (UTF-8 continuation bytes
// show as none; wide characters as two).
std::string padding(std::string_view line, std::uint32_t column) {
  std::size_t width = 0;
  std::uint32_t at = 1;
  for (std::size_t i = 0; i < line.size() && at < column; ++i) {
    const auto byte = static_cast<unsigned char>(line[i]);
    if ((byte & 0xc0) == 0x80) continue;
    width += byte >= 0xe1 && byte <= 0xef ? 2 : 1;
    ++at;
  }
  return std::string(width, ' ');
}

}  // namespace

void Findings::add(std::vector<Finding>& to, Severity severity, Position position,
                   std::string message, std::string hint) {
  if (to.size() >= 2 * kMaxFaults) {
    if (severity == Severity::kFault) ++dropped_;
    return;
  }
  Finding finding{severity, position, std::move(message), std::move(hint), ""};
  if (position.line > 0 && position.file < sources_->size())
    finding.line = line_of((*sources_)[position.file], position.line);
  to.push_back(std::move(finding));
}

void Findings::fault(Position position, std::string message, std::string hint) {
  add(faults_, Severity::kFault, position, std::move(message), std::move(hint));
}

void Findings::warn(Position position, std::string message, std::string hint) {
  add(warnings_, Severity::kWarning, position, std::move(message), std::move(hint));
}

std::vector<Finding> Findings::faults() const { return sorted(faults_); }
std::vector<Finding> Findings::warnings() const { return sorted(warnings_); }

std::string suggest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.size() > 64) return "";
  const auto near = did_you_mean(word, candidates);
  return near ? fmt::format("did you mean \"{}\"?", *near) : "";
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kMax = 60;
  std::string out = "\"";
  std::size_t length = std::min(text.size(), kMax);
  while (length > 0 && length < text.size() &&
         (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80)
    --length;
  for (const char c : text.substr(0, length)) {
    if (c == '\n')
      out += "\\n";
    else if (c == '"')
      out += "\\\"";
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + (length < text.size() ? "...\"" : "\"");
}

std::string render(const std::vector<std::string>& files, const Finding& finding) {
  std::string out;
  if (finding.position.file < files.size()) out = files[finding.position.file];
  if (finding.position.line > 0)
    out += fmt::format(":{}:{}", finding.position.line, finding.position.column);
  if (!out.empty()) out += ": ";
  if (finding.severity == Severity::kWarning) out += "warning: ";
  out += finding.message;
  if (!finding.hint.empty()) out += fmt::format(" ({})", finding.hint);
  out += '\n';
  if (finding.line.empty()) return out;
  out += fmt::format("{:>6} | {}\n", finding.position.line, shown(finding.line));
  out += fmt::format("       | {}^\n", padding(finding.line, finding.position.column));
  return out;
}

std::string render(const Failure& failure) {
  std::string out;
  for (const auto& finding : failure.warnings) out += render(failure.files, finding);
  for (const auto& finding : failure.faults) out += render(failure.files, finding);
  if (failure.dropped > 0) out += fmt::format("and {} more\n", failure.dropped);
  return out;
}

Error to_error(const Failure& failure) {
  std::string text = render(failure);
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return Error{Errc::kInvalidArgument, std::move(text), std::nullopt};
}

}  // namespace hive::config
