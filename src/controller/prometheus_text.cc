#include "controller/prometheus_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include "base/clock.h"
#include "base/json.h"

namespace hive::controller {
namespace {

constexpr std::size_t kLongestLine = 64U << 10;
constexpr std::array<std::string_view, 9> kTypes{"counter", "gauge",          "histogram",
                                                 "summary", "untyped",        "unknown",
                                                 "info",    "gaugehistogram", "stateset"};

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool digit(char c) { return c >= '0' && c <= '9'; }

// "+Inf", "NaN", "1e3".
Result<double> number_from(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    return fail(Errc::kCorrupt, "no number where a value must be");
  return out;
}

// Reads one line piece by piece.
class Line {
 public:
  Line(std::string_view text, TextFormat format) : rest_(text), format_(format) {}

  Status sample(Sample& out) {
    HIVE_TRY(series(out));
    const auto value = piece();
    HIVE_ASSIGN(out.value, number_from(value));
    out.unix_ms.reset();
    blanks();
    if (!rest_.empty() && rest_.front() != '#') {
      HIVE_ASSIGN(out.unix_ms, time());
    }
    blanks();
    const bool exemplar = format_ == TextFormat::kOpenMetrics && rest_.starts_with("# {");
    if (rest_.empty() || exemplar) return {};
    return fail(Errc::kCorrupt, "something follows the value");
  }

  // "# TYPE name type"; other comments say nothing.
  Status comment(SampleTypes& types) {
    take('#');
    blanks();
    if (piece() != "TYPE") return {};
    blanks();
    const std::string name(word(true));
    blanks();
    const auto type = piece();
    blanks();
    if (name.empty() || std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end() ||
        !rest_.empty())
      return fail(Errc::kCorrupt, "a TYPE line without a name and a type");
    if (!types.emplace(name, type).second)
      return fail(Errc::kCorrupt, "a second TYPE line of " + name);
    return {};
  }

 private:
  void blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t'))
      rest_.remove_prefix(1);
  }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view first(std::size_t length) {
    const auto out = rest_.substr(0, length);
    rest_.remove_prefix(out.size());
    return out;
  }
  std::string_view piece() { return first(rest_.find_first_of(" \t")); }
  // A metric's name may have colons, a label's not.
  std::string_view word(bool colons) {
    std::size_t length = 0;
    while (length < rest_.size() && (letter(rest_[length]) || (colons && rest_[length] == ':') ||
                                     (length > 0 && digit(rest_[length]))))
      ++length;
    return first(length);
  }
  Status series(Sample& out) {
    blanks();
    out.name = word(true);
    out.labels.clear();
    if (out.name.empty()) return fail(Errc::kCorrupt, "no metric's name where one must be");
    const bool apart = rest_.empty() || rest_.front() == ' ' || rest_.front() == '\t';
    blanks();
    if (take('{')) {
      HIVE_TRY(labels(out));
    } else if (!apart) {
      return fail(Errc::kCorrupt, "a character that no metric's name has");
    }
    blanks();
    return {};
  }
  Status labels(Sample& out) {
    for (blanks(); !take('}'); blanks()) {
      const std::string key(word(false));
      blanks();
      if (key.empty() || !take('='))
        return fail(Errc::kCorrupt, "no label where one must be, as in {name=\"value\"}");
      for (const auto& [there, value] : out.labels)
        if (there == key) return fail(Errc::kCorrupt, "the label " + key + " twice");
      blanks();
      HIVE_ASSIGN(auto value, quoted());
      out.labels.emplace_back(key, std::move(value));
      blanks();
      if (!take(',') && (rest_.empty() || rest_.front() != '}'))
        return fail(Errc::kCorrupt, "labels that do not end");
    }
    return {};
  }
  Result<std::string> quoted() {
    if (!take('"')) return fail(Errc::kCorrupt, "a label's value without quotes");
    std::string out;
    while (!rest_.empty()) {
      const char c = first(1).front();
      if (c == '"') return out;
      if (c != '\\') {
        out += c;
        continue;
      }
      const char escaped = rest_.empty() ? ' ' : first(1).front();
      if (escaped != 'n' && escaped != '"' && escaped != '\\')
        return fail(Errc::kCorrupt, "a backslash before something else than \\, \" or n");
      out += escaped == 'n' ? '\n' : escaped;
    }
    return fail(Errc::kCorrupt, "a label's value that does not end");
  }
  // Milliseconds; OpenMetrics has seconds.
  Result<std::int64_t> time() {
    const auto text = piece();
    std::int64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (format_ == TextFormat::kPrometheus) {
      if (error != std::errc() || end != text.data() + text.size())
        return fail(Errc::kCorrupt, "a time that is no whole number of milliseconds");
      return out;
    }
    const auto seconds = number_from(text);
    constexpr double kMost = 1e15;
    if (!seconds || !(std::abs(*seconds) < kMost))
      return fail(Errc::kCorrupt, "a time that is no number of seconds");
    return static_cast<std::int64_t>(std::llround(*seconds * kMsPerSecond));
  }

  std::string_view rest_;
  TextFormat format_;
};

Result<double> usable(double value) {
  if (std::isfinite(value) && value >= 0) return value;
  return fail(Errc::kInvalidArgument,
              std::isfinite(value) ? "its value is negative" : "its value is no finite number");
}

bool has(const Sample& sample, const std::map<std::string, std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& label) {
    return std::find(sample.labels.begin(), sample.labels.end(),
                     std::pair<std::string, std::string>(label)) != sample.labels.end();
  });
}

std::string type_of(const SampleTypes& types, std::string_view name) {
  const auto found = types.find(name);
  return found == types.end() ? "" : found->second;
}

bool distribution(std::string_view type) { return type == "histogram" || type == "summary"; }

bool is_counter(const SampleTypes& types, std::string_view name) {
  if (const auto type = type_of(types, name); !type.empty()) return type == "counter";
  const auto cut = name.rfind('_');
  if (cut == std::string_view::npos) return false;
  const auto family = type_of(types, name.substr(0, cut));
  const auto end = name.substr(cut);
  if (end == "_total") return true;
  return distribution(family) && (end == "_sum" || end == "_count" || end == "_bucket");
}

}  // namespace

TextFormat text_format(std::string_view content_type) {
  return content_type.starts_with("application/openmetrics-text") ? TextFormat::kOpenMetrics
                                                                  : TextFormat::kPrometheus;
}

Result<SampleTypes> read_exposition(std::string_view text, TextFormat format,
                                    const std::function<void(const Sample&)>& each) {
  if (text.empty() || text.back() != '\n')
    return fail(Errc::kCorrupt, "the text is cut off: it does not end with a line");
  SampleTypes types;
  Sample sample;
  bool ended = false;
  for (int number = 1; !text.empty(); ++number) {
    const auto where = [&](const std::string& what) {
      return fail(Errc::kCorrupt, "line " + std::to_string(number) + ": " + what);
    };
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (ended) return where("the text goes on after # EOF");
    if (line.size() > kLongestLine) return where("it is longer than 64 KiB");
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) continue;
    ended = format == TextFormat::kOpenMetrics && line == "# EOF";
    const bool comment = line[begin] == '#';
    Line reader(line.substr(begin), format);
    if (const auto read = comment ? reader.comment(types) : reader.sample(sample); !read)
      return where(read.error().message);
    if (!comment) each(sample);
  }
  if (format == TextFormat::kOpenMetrics && !ended)
    return fail(Errc::kCorrupt, "the text is cut off: it does not end with # EOF");
  return types;
}

Result<Figure> figure_in_text(std::string_view text, TextFormat format, const std::string& name,
                              const std::map<std::string, std::string>& labels) {
  Figure out;
  std::set<std::vector<std::pair<std::string, std::string>>> seen;
  bool twice = false;
  const auto add = [&](const Sample& sample) {
    if (sample.name != name || !has(sample, labels)) return;
    auto key = sample.labels;
    std::sort(key.begin(), key.end());
    twice = !seen.insert(std::move(key)).second || twice;
    out.value += sample.value;
    if (sample.unix_ms)
      out.unix_ms = std::min(*sample.unix_ms, out.unix_ms.value_or(*sample.unix_ms));
  };
  HIVE_ASSIGN(const auto types, read_exposition(text, format, add));
  if (const auto type = type_of(types, name); distribution(type))
    return fail(Errc::kInvalidArgument, name + " is a " + type + ": " + name + "_count or " + name +
                                            "_sum can be a figure, by their rate");
  if (seen.empty())
    return fail(Errc::kNotFound,
                "there is no series of " + name + (labels.empty() ? "" : " with these labels"));
  if (twice) return fail(Errc::kCorrupt, "a series of " + name + " is there twice");
  HIVE_TRY(usable(out.value));
  out.counter = is_counter(types, name);
  return out;
}

Result<double> figure_in_answer(const std::string& body) {
  HIVE_ASSIGN(const Json answer, parse_json(body, "the answer"));
  if (json_string(answer, "status") != "success")
    return fail(Errc::kInvalidArgument,
                "the server refused the query: " + json_string(answer, "error", "it said not why"));
  const Json* result = json_path(answer, "data.result");
  const std::string type = json_string(answer, "data.resultType");
  if (result == nullptr || !result->is_array() || (type != "vector" && type != "scalar"))
    return fail(Errc::kInvalidArgument, "the query gives neither a scalar nor a vector");
  const Json* value = result;
  if (type == "vector") {
    if (result->empty()) return fail(Errc::kNotFound, "the query gives no series");
    if (result->size() > 1)
      return fail(Errc::kInvalidArgument,
                  "the query gives " + std::to_string(result->size()) + " series; sum() makes one");
    value = json_member(result->front(), "value");
  }
  if (value == nullptr || !value->is_array() || value->size() != 2 || !(*value)[1].is_string())
    return fail(Errc::kCorrupt, "the answer has no value");
  const auto number = number_from((*value)[1].get_ref<const std::string&>());
  if (!number) return fail(Errc::kCorrupt, "the answer's value is no number");
  return usable(*number);
}

}  // namespace hive::controller
