#include "cli/record.h"

#include <filesystem>

#include "cli/reach.h"
#include "os/file.h"

namespace hive::cli {

std::string record_path(const std::string& cluster) {
  return (std::filesystem::path(state_parent()) / cluster / "cluster.json").string();
}

Result<Record> read_record(const std::string& cluster) {
  const std::string path = record_path(cluster);
  HIVE_ASSIGN(const auto text, os::read_file(path, 1 << 20));
  const auto json = parse_json(text, path);
  if (!json || json_string(*json, "name") != cluster)
    return fail(Errc::kCorrupt,
                "the record of cluster " + cluster + " (" + path +
                    ") is damaged: " + (json ? "it names another cluster" : json.error().message) +
                    ". 'hive down --cluster " + cluster +
                    "' removes the cluster, then 'hive up' makes it anew");
  Record record{.name = cluster,
                .cloud = json_string(*json, "cloud", "local"),
                .directory = json_string(*json, "directory"),
                .spec_hash = json_string(*json, "spec_hash"),
                .dashboard_port = static_cast<std::uint16_t>(json_int(*json, "dashboard_port")),
                .complete = json_bool(*json, "complete")};
  if (const Json* files = json_member(*json, "files"); files != nullptr && files->is_array()) {
    for (const auto& file : *files) {
      if (file.is_string()) record.files.push_back(file.get<std::string>());
    }
  }
  if (const Json* ports = json_member(*json, "listeners"); ports != nullptr && ports->is_array()) {
    for (const auto& port : *ports) {
      if (port.is_number_unsigned())
        record.listeners.push_back(static_cast<std::uint16_t>(port.get<unsigned>()));
    }
  }
  return record;
}

Status write_record(const Record& record) {
  const Json json = {{"name", record.name},           {"cloud", record.cloud},
                     {"files", record.files},         {"directory", record.directory},
                     {"spec_hash", record.spec_hash}, {"dashboard_port", record.dashboard_port},
                     {"listeners", record.listeners}, {"complete", record.complete}};
  return os::write_file_atomically(record_path(record.name), json.dump(2) + "\n", 0600);
}

}  // namespace hive::cli
