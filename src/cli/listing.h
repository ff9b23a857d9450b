// Lists as every `ls` and `ps` prints them: docker's tables, JSON, or ids alone.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cli/command.h"

namespace hive::cli {

class Context;

// Columns padded to their widest cell and parted by three spaces, as docker's are. UTF-8 code
// points count one. The last column is not padded.
std::string format_table(const std::vector<std::string>& headers,
                         const std::vector<std::vector<std::string>>& rows);

struct ListOptions {
  bool quiet = false;
  bool no_trunc = false;
  bool no_resolve = false;  // of tasks: ids of services and nodes
  std::optional<std::string> format;
  std::vector<std::string> filters;
};
void declare_list(Declare& declare, ListOptions& options, bool with_filter = true);
void declare_task_list(Declare& declare, ListOptions& options);
void declare_format(Declare& declare, std::optional<std::string>* format);

struct Row {
  std::string id;  // what --quiet prints
  std::vector<std::string> cells;
  Json json;  // the fields documented for --format json
};
void print_rows(Context& context, const std::vector<std::string>& headers,
                const std::vector<Row>& rows);
// As the options say: that table, JSON, or ids alone.
int print_listing(Context& context, const ListOptions& options,
                  const std::vector<std::string>& headers, const std::vector<Row>& rows);

// "name=web" words as a map; kInvalidArgument names the word and the keys there are.
Result<std::map<std::string, std::vector<std::string>>> parse_filters(
    const std::vector<std::string>& words, const std::vector<std::string>& known);

// The first 12 characters unless no_trunc.
std::string short_id(const std::string& id, bool no_trunc);
std::string shorten(const std::string& text, std::size_t width, bool no_trunc);

}  // namespace hive::cli
