#include "base/text.h"
#include "cli/service_flags.h"

namespace hive::cli {
namespace {

tl::unexpected<Error> bad_mount(const std::string& text, const std::string& why) {
  return fail(Errc::kInvalidArgument, "--mount " + text + ": " + why);
}

bool truth(const std::string& value, bool bare) {
  return bare || value == "1" || value == "true" || value == "True" || value == "TRUE";
}

// One KEY=VALUE of a mount; false when the key is not known.
Result<bool> take_field(const std::string& key, const std::string& value, bool bare, Json& mount) {
  if (key == "type") {
    mount["Type"] = value;
  } else if (key == "source" || key == "src") {
    mount["Source"] = value;
  } else if (key == "target" || key == "dst" || key == "destination") {
    mount["Target"] = value;
  } else if (key == "readonly" || key == "ro") {
    if (truth(value, bare)) mount["ReadOnly"] = true;
  } else if (key == "consistency") {
    mount["Consistency"] = value;
  } else if (key == "bind-propagation") {
    mount["BindOptions"]["Propagation"] = value;
  } else if (key == "bind-nonrecursive") {
    mount["BindOptions"]["NonRecursive"] = truth(value, bare);
  } else if (key == "volume-nocopy") {
    mount["VolumeOptions"]["NoCopy"] = truth(value, bare);
  } else if (key == "volume-driver") {
    mount["VolumeOptions"]["DriverConfig"]["Name"] = value;
  } else if (key == "volume-opt" || key == "volume-label") {
    const auto equals = value.find('=');
    const std::string name = value.substr(0, equals);
    const std::string content = equals == std::string::npos ? "" : value.substr(equals + 1);
    if (key == "volume-opt") {
      mount["VolumeOptions"]["DriverConfig"]["Options"][name] = content;
    } else {
      mount["VolumeOptions"]["Labels"][name] = content;
    }
  } else if (key == "tmpfs-size") {
    HIVE_ASSIGN(const auto bytes, parse_bytes(value));
    mount["TmpfsOptions"]["SizeBytes"] = bytes;
  } else if (key == "tmpfs-mode") {
    mount["TmpfsOptions"]["Mode"] = std::strtol(value.c_str(), nullptr, 8);
  } else {
    return false;
  }
  return true;
}

// Fields of a CSV line: quoted ones may hold commas (volume-opt=o=addr=...).
std::vector<std::string> csv_fields(const std::string& text) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

}  // namespace

Result<Json> parse_mount(const std::string& text) {
  Json mount = {{"Type", "volume"}};
  for (const auto& field : csv_fields(text)) {
    const auto equals = field.find('=');
    const std::string key = field.substr(0, equals);
    const bool bare = equals == std::string::npos;
    const auto known = take_field(key, bare ? "" : field.substr(equals + 1), bare, mount);
    if (!known) return bad_mount(text, known.error().message);
    if (!*known) {
      const auto near = did_you_mean(
          key, {"type", "source", "target", "readonly", "bind-propagation", "volume-nocopy",
                "volume-driver", "volume-opt", "volume-label", "tmpfs-size", "tmpfs-mode"});
      return bad_mount(text,
                       "unknown key '" + key + "'" + (near ? ": did you mean " + *near + "?" : ""));
    }
  }
  const std::string type = json_string(mount, "Type");
  if (type != "bind" && type != "volume" && type != "tmpfs" && type != "npipe")
    return bad_mount(text, "type '" + type + "' is not bind, volume or tmpfs");
  if (json_string(mount, "Target").empty()) return bad_mount(text, "target= is missing");
  const std::string source = json_string(mount, "Source");
  if (type == "bind" && source.empty()) return bad_mount(text, "a bind mount needs source=");
  if (type == "bind" && source.front() != '/')
    return bad_mount(text, "source '" + source + "' is not an absolute path");
  if (type == "tmpfs" && !source.empty()) return bad_mount(text, "a tmpfs has no source");
  return mount;
}

}  // namespace hive::cli
