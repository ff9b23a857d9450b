#include "controller/prometheus_text.h"

#include <charconv>
#include <cmath>

#include "base/json.h"

namespace hive::controller {
namespace {

constexpr std::size_t kLongestLine = 64U << 10;

bool name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == ':';
}

// "+Inf", "NaN", "1e3": what strtod takes and no more.
Result<double> number_from(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    return fail(Errc::kCorrupt, "no number");
  return out;
}

// One line of a sample.
class Sample {
 public:
  explicit Sample(std::string_view line) : rest_(line) {}

  Status read() {
    name = word();
    if (name.empty()) return fail(Errc::kCorrupt, "no metric's name");
    spaces();
    if (take('{')) HIVE_TRY(read_labels());
    spaces();
    const auto end = rest_.find_first_of(" \t");
    HIVE_ASSIGN(value, number_from(rest_.substr(0, end)));
    rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end);
    spaces();
    if (rest_.empty() || rest_.front() == '#') return {};  // an exemplar
    const auto stamp = rest_.find_first_of(" \t");
    HIVE_TRY(number_from(rest_.substr(0, stamp)));
    return {};
  }
  bool has(const std::map<std::string, std::string>& wanted) const {
    for (const auto& [key, text] : wanted) {
      const auto found = labels.find(key);
      if (found == labels.end() || found->second != text) return false;
    }
    return true;
  }

  std::string_view name;
  std::map<std::string, std::string, std::less<>> labels;
  double value = 0;

 private:
  void spaces() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t'))
      rest_.remove_prefix(1);
  }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view word() {
    std::size_t length = 0;
    while (length < rest_.size() && name_char(rest_[length])) ++length;
    const auto out = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return out;
  }
  Status read_labels() {
    for (spaces(); !take('}'); spaces()) {
      const auto key = word();
      spaces();
      if (key.empty() || !take('=')) return fail(Errc::kCorrupt, "a label that is none");
      spaces();
      HIVE_ASSIGN(labels[std::string(key)], quoted());
      spaces();
      if (!take(',') && (rest_.empty() || rest_.front() != '}'))
        return fail(Errc::kCorrupt, "labels that do not end");
    }
    return {};
  }
  Result<std::string> quoted() {
    if (!take('"')) return fail(Errc::kCorrupt, "a label's value without quotes");
    std::string out;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return out;
      if (c == '\\' && !rest_.empty()) {
        c = rest_.front() == 'n' ? '\n' : rest_.front();
        rest_.remove_prefix(1);
      }
      out += c;
    }
    return fail(Errc::kCorrupt, "a label's value that does not end");
  }

  std::string_view rest_;
};

Result<double> finite(double value) {
  if (std::isfinite(value)) return value;
  return fail(Errc::kInvalidArgument, "its value is no finite number");
}

}  // namespace

Result<double> metric_in_text(std::string_view text, const std::string& name,
                              const std::map<std::string, std::string>& labels) {
  if (text.empty() || text.back() != '\n')
    return fail(Errc::kCorrupt, "the text is cut off: it does not end with a line");
  double sum = 0;
  bool found = false;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.size() > kLongestLine)
      return fail(Errc::kCorrupt, "line " + std::to_string(number) + " is too long");
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    Sample sample(line);
    if (const auto read = sample.read(); !read)
      return fail(Errc::kCorrupt, "line " + std::to_string(number) + ": " + read.error().message);
    if (sample.name != name || !sample.has(labels)) continue;
    found = true;
    sum += sample.value;
  }
  if (!found) return fail(Errc::kNotFound, "there is no series of " + name);
  return finite(sum);
}

Result<double> metric_in_answer(const std::string& body) {
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
  return finite(*number);
}

}  // namespace hive::controller
