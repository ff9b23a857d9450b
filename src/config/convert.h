// A checked document -> the typed model of that one file. The x-hive parts stay trees until the
// files are merged.
#pragma once

#include <map>
#include <string>

#include "config/document.h"
#include "config/findings.h"

namespace hive::config {

struct FileModel {
  Spec spec;
  std::optional<Node> hive;                  // x-hive
  std::map<std::string, Node> service_hive;  // by service
};

FileModel convert(const Node& root, const LoadOptions& options, Findings& findings,
                  std::map<std::string, Position> positions);

// x-hive -> Cluster and ServiceHive, checked. `json` members are filled too.
Cluster convert_cluster(const Node& node, const LoadOptions& options, Findings& findings);
ServiceHive convert_service_hive(const Node& node, const std::string& service,
                                 const LoadOptions& options, Findings& findings);

// x-hive.aws of the x-hive tree; `cluster` has what the rest of it says.
Aws convert_aws(const Node& hive, const Cluster& cluster, Findings& findings);

// The tree as compact JSON with sorted keys.
std::string to_json(const Node& node);

// Readers of checked trees: an absent or (already reported) wrong value gives the default.
std::string text_at(const Node& map, std::string_view key);
bool flag_at(const Node& map, std::string_view key);
std::optional<std::int64_t> integer_at(const Node& map, std::string_view key);
std::optional<double> number_at(const Node& map, std::string_view key);
std::optional<Nanoseconds> duration_at(const Node& map, std::string_view key);
// A string or a list of strings.
std::vector<std::string> list_at(const Node& map, std::string_view key);
const Node* map_at(const Node& map, std::string_view key);

}  // namespace hive::config
