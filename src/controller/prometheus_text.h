// Figures out of what Prometheus speaks: an application's own text exposition, and a server's
// answer to a query. Pure; bounded by the text that is given, one pass.
//
// Source: prometheus.io/docs/instrumenting/exposition_formats (text 0.0.4), OpenMetrics 1.0 for
// applications that know nothing else, prometheus.io/docs/prometheus/latest/querying/api.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace hive::controller {

enum class TextFormat { kPrometheus, kOpenMetrics };
// By an answer's Content-Type; any other than OpenMetrics' is taken to be Prometheus'.
TextFormat text_format(std::string_view content_type);

struct Sample {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;  // in the text's order
  double value = 0;                                         // may be NaN or infinite
  std::optional<std::int64_t> unix_ms;                      // when it was so, if the text says that
  bool operator==(const Sample&) const = default;
};
// What its TYPE lines say: name -> "counter", "gauge" and so on.
using SampleTypes = std::map<std::string, std::string, std::less<>>;

// Each sample of a text, and the types. kCorrupt names the line: whatever is no exposition, is
// broken anywhere, or is cut off within a line (OpenMetrics: anywhere).
Result<SampleTypes> read_exposition(std::string_view text, TextFormat format,
                                    const std::function<void(const Sample&)>& each);

struct Figure {
  double value = 0;                     // finite, not negative
  bool counter = false;                 // it only grows: its rate is the figure
  std::optional<std::int64_t> unix_ms;  // of its oldest series, where they have times
};

// The sum over all series of that name that have these labels. A text that is broken gives
// nothing: its figures may be too small. Counters, and the _sum, _count and _bucket of histograms
// and summaries, are counters; what has no type is a gauge, unless it is named _total.
// kCorrupt as above, also when a series is there twice; kNotFound when there is none;
// kInvalidArgument when the sum is negative or no finite number, or the name is a whole histogram's
// or summary's.
Result<Figure> figure_in_text(std::string_view text, TextFormat format, const std::string& name,
                              const std::map<std::string, std::string>& labels);

// Of an instant query that gives one figure: a scalar, or a vector of one series. kNotFound: an
// empty vector. kInvalidArgument: several series, a value as above, or the server refused the
// query.
Result<double> figure_in_answer(const std::string& body);

}  // namespace hive::controller
