// Figures out of what Prometheus speaks: an application's own text exposition, and a server's
// answer to a query. Pure; bounded by the text that is given, one pass.
//
// Source: prometheus.io/docs/instrumenting/exposition_formats (text 0.0.4; OpenMetrics' exemplars
// and "# EOF" are passed over), prometheus.io/docs/prometheus/latest/querying/api.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hive::controller {

// The sum over all series of that name that have these labels. A text that is broken anywhere, or
// cut off, gives nothing: its figures may be too small. kCorrupt names the line; kNotFound when no
// such series is there; kInvalidArgument when a value is no finite number.
Result<double> metric_in_text(std::string_view text, const std::string& name,
                              const std::map<std::string, std::string>& labels);

// Of an instant query that gives one figure: a scalar, or a vector of one series. kNotFound: an
// empty vector. kInvalidArgument: several series, or the server refused the query.
Result<double> metric_in_answer(const std::string& body);

}  // namespace hive::controller
