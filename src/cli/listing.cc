#include "cli/listing.h"

#include <algorithm>

#include "base/text.h"
#include "cli/context.h"

namespace hive::cli {
namespace {

std::size_t display_width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::string format_table(const std::vector<std::string>& headers,
                         const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  widths.reserve(headers.size());
  for (const auto& header : headers) widths.push_back(display_width(header));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::string text;
  const auto add = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const std::string cell = i < row.size() ? row[i] : "";
      line += cell;
      if (i + 1 < widths.size()) line += std::string(widths[i] - display_width(cell) + 3, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add(headers);
  for (const auto& row : rows) add(row);
  return text;
}

void declare_format(Declare& declare, std::optional<std::string>* format) {
  declare.text(OptionInfo{.names = "--format",
                          .value_name = "FORMAT",
                          .help = "table or json",
                          .choices = {"table", "json"}},
               format);
}

void declare_list(Declare& declare, ListOptions& options, bool with_filter) {
  if (with_filter) declare.list("-f,--filter", "KEY=VALUE", &options.filters, "Only what matches");
  declare_format(declare, &options.format);
  declare.flag("--no-trunc", &options.no_trunc, "Do not shorten");
  declare.flag("-q,--quiet", &options.quiet, "Only ids");
}

void declare_task_list(Declare& declare, ListOptions& options) {
  declare_list(declare, options);
  declare.flag("--no-resolve", &options.no_resolve, "Ids of services and nodes");
}

void print_rows(Context& context, const std::vector<std::string>& headers,
                const std::vector<Row>& rows) {
  std::vector<std::vector<std::string>> cells;
  cells.reserve(rows.size());
  for (const auto& row : rows) cells.push_back(row.cells);
  context.print(format_table(headers, cells));
}

int print_listing(Context& context, const ListOptions& options,
                  const std::vector<std::string>& headers, const std::vector<Row>& rows) {
  if (options.quiet) {
    for (const auto& row : rows) context.line(row.id);
    return kExitOk;
  }
  if (options.format == "json") {
    Json all = Json::array();
    for (const auto& row : rows) all.push_back(row.json);
    context.line(all.dump(2));
    return kExitOk;
  }
  print_rows(context, headers, rows);
  return kExitOk;
}

Result<std::map<std::string, std::vector<std::string>>> parse_filters(
    const std::vector<std::string>& words, const std::vector<std::string>& known) {
  std::map<std::string, std::vector<std::string>> filters;
  for (const auto& word : words) {
    const auto equals = word.find('=');
    const std::string key = word.substr(0, equals);
    if (equals == std::string::npos || key.empty())
      return fail(Errc::kInvalidArgument, "filter '" + word + "' is not KEY=VALUE");
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      std::string message = "filter '" + key + "' is not known";
      if (const auto near = did_you_mean(key, known)) message += ": did you mean " + *near + "?";
      return fail(Errc::kInvalidArgument, message + " (there are: " + join(known, ", ") + ")");
    }
    filters[key].push_back(word.substr(equals + 1));
  }
  return filters;
}

std::string short_id(const std::string& id, bool no_trunc) {
  return no_trunc || id.size() <= 12 ? id : id.substr(0, 12);
}

std::string shorten(const std::string& text, std::size_t width, bool no_trunc) {
  if (no_trunc || display_width(text) <= width) return text;
  std::string cut;
  std::size_t count = 0;
  for (const char c : text) {
    if ((c & 0xC0) != 0x80 && ++count > width - 1) break;
    cut += c;
  }
  return cut + "…";
}

}  // namespace hive::cli
