#include "cloud/local/user_data.h"

#include <fmt/core.h>
#include <libfyaml.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "os/file.h"
#include "os/process.h"

namespace hive::cloud::local {
namespace {

namespace fs = std::filesystem;
constexpr Milliseconds kCommandDeadline{300'000};

bool only_comments(const std::string& text) {
  const auto lines = split(text, '\n');
  return std::all_of(lines.begin(), lines.end(), [](const std::string& line) {
    const auto words = trim(line);
    return words.empty() || words.front() == '#';
  });
}

Result<Json> yaml(const std::string& text) {
  if (only_comments(text)) return Json();  // which the parser calls no document
  struct Destroy {
    void operator()(fy_document* d) const { fy_document_destroy(d); }
    void operator()(char* c) const { std::free(c); }
  };
  fy_parse_cfg quiet{};
  quiet.flags = FYPCF_QUIET;
  const std::unique_ptr<fy_document, Destroy> document(
      fy_document_build_from_string(&quiet, text.data(), text.size()));
  if (!document) return fail(Errc::kInvalidArgument, "user data: #cloud-config is no valid YAML");
  const std::unique_ptr<char, Destroy> json(
      fy_emit_document_to_string(document.get(), FYECF_MODE_JSON));
  if (!json) return fail(Errc::kInvalidArgument, "user data: #cloud-config has no JSON form");
  return parse_json(json.get(), "user data");
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

Result<std::vector<std::vector<std::string>>> commands(const Json& list, const std::string& key) {
  std::vector<std::vector<std::string>> out;
  if (!list.is_array())
    return fail(Errc::kInvalidArgument, fmt::format("user data: {} must be a list", key));
  for (const auto& item : list) {
    std::vector<std::string> words;
    if (item.is_string()) words = {"/bin/sh", "-c", item.get<std::string>()};
    if (item.is_array())
      for (const auto& word : item) words.push_back(text_of(word));
    if (words.empty())
      return fail(Errc::kInvalidArgument,
                  fmt::format("user data: {} holds an entry that is neither text nor a list", key));
    out.push_back(std::move(words));
  }
  return out;
}

Status write_one(const WriteFile& file) {
  HIVE_TRY(os::make_directories(fs::path(file.path).parent_path()));
  std::string content = file.content;
  if (file.append)
    if (const auto old = os::read_file(file.path)) content = *old + content;
  const auto mode = static_cast<mode_t>(std::strtoul(file.permissions.c_str(), nullptr, 8));
  return os::write_file_atomically(file.path, content, mode == 0 ? 0644 : mode);
}

Status run_command(const std::vector<std::string>& command) {
  os::RunOptions options;
  options.deadline = kCommandDeadline;
  HIVE_ASSIGN(const auto done, os::run(command, options));
  if (!done.out.empty()) log::info("user-data", "{}", done.out);
  if (!done.err.empty()) log::info("user-data", "{}", done.err);
  if (done.exit_code == 0) return {};
  return fail(Errc::kInternal,
              fmt::format("user data: {} ended with {}", command.back(), done.exit_code));
}

void keep_first(Status& all, const Status& one) {
  if (one) return;
  log::error("user-data", "{}", describe(one.error()));
  if (all) all = one;
}

Status run_script(const std::string& text) {
  HIVE_TRY(os::make_directories("/var/lib/cloud", 0700));
  const std::string path = "/var/lib/cloud/user-data-script";
  HIVE_TRY(os::write_file_atomically(path, text, 0700));
  return run_command({path});
}

}  // namespace

Result<CloudConfig> parse_cloud_config(const std::string& text) {
  HIVE_ASSIGN(const Json document, yaml(text));
  CloudConfig out;
  if (document.is_null()) return out;
  if (!document.is_object())
    return fail(Errc::kInvalidArgument, "user data: #cloud-config must be a mapping");
  for (const auto& [key, value] : document.items()) {
    if (key == "bootcmd") {
      HIVE_ASSIGN(out.bootcmd, commands(value, key));
    } else if (key == "runcmd") {
      HIVE_ASSIGN(out.runcmd, commands(value, key));
    } else if (key == "write_files") {
      if (!value.is_array())
        return fail(Errc::kInvalidArgument, "user data: write_files must be a list");
      for (const auto& item : value) {
        WriteFile file;
        file.path = json_string(item, "path");
        file.content = json_string(item, "content");
        if (const Json* mode = json_member(item, "permissions")) file.permissions = text_of(*mode);
        file.append = json_bool(item, "append");
        if (file.path.empty() || file.path.front() != '/')
          return fail(Errc::kInvalidArgument, "user data: write_files needs an absolute path");
        if (!json_string(item, "encoding").empty() && json_string(item, "encoding") != "text/plain")
          return fail(Errc::kUnsupported, "user data: write_files.encoding is not known here");
        out.write_files.push_back(std::move(file));
      }
    } else {
      return fail(Errc::kUnsupported,
                  fmt::format("user data: the key \"{}\" is not known here; known are write_files, "
                              "bootcmd and runcmd",
                              key));
    }
  }
  return out;
}

Status run_user_data(const std::string& text, bool first_boot) {
  if (text.empty()) return {};
  if (text.starts_with("#!")) return first_boot ? run_script(text) : Status{};
  if (!text.starts_with("#cloud-config"))
    return fail(Errc::kUnsupported,
                "user data begins neither with #! nor with #cloud-config; it was not run");
  HIVE_ASSIGN(const CloudConfig config, parse_cloud_config(text));
  Status all;
  for (const auto& command : config.bootcmd) keep_first(all, run_command(command));
  if (!first_boot) return all;
  for (const auto& file : config.write_files) keep_first(all, write_one(file));
  for (const auto& command : config.runcmd) keep_first(all, run_command(command));
  return all;
}

}  // namespace hive::cloud::local
