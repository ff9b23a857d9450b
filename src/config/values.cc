#include "config/values.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "config/findings.h"

namespace hive::config {

namespace {

struct Range {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

std::optional<std::uint32_t> parse_port(std::string_view text) {
  std::uint32_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size() ||
      value > 65535)
    return std::nullopt;
  return value;
}

std::optional<Range> parse_range(std::string_view text) {
  const auto parts = split(text, '-');
  const auto first = parse_port(parts[0]);
  const auto last = parts.size() > 1 ? parse_port(parts[1]) : first;
  if (!first || !last || *last < *first) return std::nullopt;
  return Range{*first, *last};
}

bool is_address(std::string text) {
  if (text.size() > 1 && text.front() == '[' && text.back() == ']')
    text = text.substr(1, text.size() - 2);
  in6_addr buffer{};
  return inet_pton(AF_INET, text.c_str(), &buffer) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &buffer) == 1;
}

tl::unexpected<Error> bad_port(std::string_view text, std::string_view why) {
  return fail(Errc::kInvalidArgument, fmt::format("{} is not a port: {}", in_quotes(text), why));
}

// "ip:published:target/protocol" in its parts.
struct PortParts {
  std::string ip;
  std::string published;
  std::string target;
  std::string protocol = "tcp";
};

PortParts port_parts(std::string_view text) {
  PortParts out;
  auto parts = split(text, ':');
  out.target = parts.back();
  parts.pop_back();
  if (!parts.empty()) {
    out.published = parts.back();
    parts.pop_back();
  }
  out.ip = join(parts, ":");
  if (const auto slash = out.target.find('/'); slash != std::string::npos) {
    std::string protocol = out.target.substr(slash + 1);
    protocol = protocol.substr(0, protocol.find('/'));
    if (!protocol.empty()) out.protocol = protocol;
    out.target.resize(slash);
  }
  std::transform(out.protocol.begin(), out.protocol.end(), out.protocol.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

Result<ParsedPorts> parse_ports(std::string_view text) {
  const PortParts parts = port_parts(text);
  if (!parts.ip.empty() && !is_address(parts.ip))
    return bad_port(text, fmt::format("{} is not an IP address", in_quotes(parts.ip)));
  const auto target = parse_range(parts.target);
  if (!target || target->first == 0)
    return bad_port(text, "the port in the container must be 1 to 65535, or a range");
  std::optional<Range> published = Range{};
  if (!parts.published.empty()) published = parse_range(parts.published);
  if (!published) return bad_port(text, "the published port must be 0 to 65535, or a range");
  const std::uint32_t targets = target->last - target->first;
  const std::uint32_t publisheds = published->last - published->first;
  if (!parts.published.empty() && targets != publisheds && targets != 0)
    return bad_port(text, "both ranges must be of one length");
  if (parts.protocol != "tcp" && parts.protocol != "udp" && parts.protocol != "sctp")
    return bad_port(text, "the protocol must be tcp, udp or sctp");
  if (std::max(targets, publisheds) >= kMaxPorts)
    return bad_port(text, fmt::format("more than {} ports at once", kMaxPorts));
  ParsedPorts out;
  if (!parts.ip.empty() && parts.ip != "0.0.0.0") out.ignored_ip = parts.ip;
  for (std::uint32_t i = 0; i <= std::max(targets, publisheds); ++i)
    out.ports.push_back(ServicePort{.mode = "ingress",
                                    .target = target->first + (targets == 0 ? 0 : i),
                                    .published = parts.published.empty() ? 0 : published->first + i,
                                    .protocol = parts.protocol});
  std::stable_sort(out.ports.begin(), out.ports.end(),
                   [](const ServicePort& a, const ServicePort& b) {
                     return std::to_string(a.target) + "/" < std::to_string(b.target) + "/";
                   });
  return out;
}

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_path(std::string_view source) {
  if (source[0] == '.' || source[0] == '/' || source[0] == '~') return true;
  if (source.starts_with("\\\\")) return true;
  return source.size() > 1 && is_letter(source[0]) && source[1] == ':';
}

void apply_volume_option(std::string_view option, ServiceVolume& volume) {
  static constexpr std::string_view kPropagations[] = {"rprivate", "private", "rshared",
                                                       "shared",   "rslave",  "slave"};
  if (option == "ro") volume.read_only = true;
  if (option == "rw") volume.read_only = false;
  if (option == "nocopy") volume.volume_nocopy = true;
  if (std::find(std::begin(kPropagations), std::end(kPropagations), option) !=
      std::end(kPropagations))
    volume.bind_propagation = std::string(option);
  // Others are ignored, as docker does.
}

// Split at colons, except one after a single letter (C:\data).
std::vector<std::string> volume_sections(std::string_view text) {
  std::vector<std::string> sections(1);
  for (const char c : text) {
    const bool drive = c == ':' && sections.back().size() == 1 && is_letter(sections.back()[0]);
    if (c == ':' && !drive)
      sections.emplace_back();
    else
      sections.back() += c;
  }
  return sections;
}

}  // namespace

Result<ServiceVolume> parse_volume(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(Errc::kInvalidArgument,
                fmt::format("{} is not a volume: {}", in_quotes(text), why));
  };
  ServiceVolume volume{.type = "volume"};
  if (text.empty()) return bad("it is empty");
  if (text.size() <= 2) {
    volume.target = std::string(text);
    return volume;
  }
  const auto sections = volume_sections(text);
  if (std::any_of(sections.begin(), sections.end(),
                  [](const std::string& section) { return section.empty(); }))
    return bad("a part between colons is empty");
  if (sections.size() > 3) return bad("too many colons");
  if (sections.size() == 1) {
    volume.target = sections[0];
    return volume;
  }
  volume.source = sections[0];
  volume.target = sections[1];
  if (sections.size() == 3)
    for (const auto& option : split(sections[2], ',')) apply_volume_option(option, volume);
  if (is_path(volume.source)) volume.type = "bind";
  return volume;
}

namespace {

// A word splitter: what a POSIX shell does with quotes, backslashes and comments, nothing more.
class Words {
 public:
  Result<std::vector<std::string>> split(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (quote_ != 0)
        in_quotes(c);
      else if (escaped_)
        add(c), escaped_ = false;
      else if (c == '#' && !open_)
        i = std::min(text.find('\n', i), text.size());
      else
        unquoted(c);
    }
    if (quote_ != 0) return fail(Errc::kInvalidArgument, "a quote is not closed");
    if (escaped_) return fail(Errc::kInvalidArgument, "it ends with a backslash");
    finish();
    return words_;
  }

 private:
  void add(char c) {
    word_ += c;
    open_ = true;
  }
  void finish() {
    if (open_) words_.push_back(std::move(word_));
    word_.clear();
    open_ = false;
  }
  void in_quotes(char c) {
    if (escaped_)
      add(c), escaped_ = false;
    else if (c == quote_)
      quote_ = 0;
    else if (c == '\\' && quote_ == '"')
      escaped_ = true;
    else
      add(c);
  }
  void unquoted(char c) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      finish();
    } else if (c == '"' || c == '\'') {
      quote_ = c;
      open_ = true;
    } else if (c == '\\') {
      escaped_ = true;
      open_ = true;
    } else {
      add(c);
    }
  }

  std::vector<std::string> words_;
  std::string word_;
  bool open_ = false;
  bool escaped_ = false;
  char quote_ = 0;
};

}  // namespace

Result<std::vector<std::string>> split_words(std::string_view text) { return Words().split(text); }

Result<std::vector<std::pair<std::string, std::string>>> parse_env_file(
    std::string_view content, const StringMap& environment) {
  std::vector<std::pair<std::string, std::string>> out;
  if (content.starts_with("\xef\xbb\xbf")) content.remove_prefix(3);
  int number = 0;
  for (std::string line : split(content, '\n')) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    line.erase(0, std::min(line.find_first_not_of(" \t\v\f\r"), line.size()));
    if (line.empty() || line[0] == '#') continue;
    const auto equals = line.find('=');
    std::string name = line.substr(0, equals);
    if (name.empty())
      return fail(Errc::kInvalidArgument, fmt::format("line {} has no name before =", number));
    if (name.find_first_of(" \t") != std::string::npos)
      return fail(Errc::kInvalidArgument,
                  fmt::format("line {}: the name {} has a space in it", number, in_quotes(name)));
    if (equals != std::string::npos) {
      out.emplace_back(name, line.substr(equals + 1));
    } else if (const auto found = environment.find(name); found != environment.end()) {
      out.emplace_back(name, found->second);
    }
  }
  return out;
}

Result<std::int64_t> parse_cpus(std::string_view text) {
  const auto bad = [&] {
    return fail(
        Errc::kInvalidArgument,
        fmt::format("{} is not a number of CPUs (write for example \"0.5\")", in_quotes(text)));
  };
  const auto dot = text.find('.');
  const auto whole = text.substr(0, dot);
  const auto fraction = dot == std::string_view::npos ? "" : text.substr(dot + 1);
  const auto digits = [](std::string_view part) {
    return std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if ((whole.empty() && fraction.empty()) || !digits(whole) || !digits(fraction) ||
      whole.size() > 6)
    return bad();
  const auto last = fraction.find_last_not_of('0');
  const auto kept = last == std::string_view::npos ? "" : fraction.substr(0, last + 1);
  if (kept.size() > 9)
    return fail(
        Errc::kInvalidArgument,
        fmt::format("{} is too precise: a billionth of a CPU is the least", in_quotes(text)));
  std::int64_t nanos = 0;
  for (const char c : whole) nanos = nanos * 10 + (c - '0');
  for (std::size_t i = 0; i < 9; ++i) nanos = nanos * 10 + (i < kept.size() ? kept[i] - '0' : 0);
  return nanos;
}

std::string absolute_path(std::string_view directory, std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  std::vector<std::string> kept;
  for (const auto& part : split(fmt::format("{}/{}", directory, path), '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (!kept.empty()) kept.pop_back();
    } else {
      kept.push_back(part);
    }
  }
  return "/" + join(kept, "/");
}

}  // namespace hive::config
