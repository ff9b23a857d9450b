#include "cloud/local/units.h"

#include <algorithm>
#include <filesystem>

#include "base/json.h"
#include "base/log.h"
#include "os/file.h"
#include "os/process.h"

namespace hive::cloud::local {
namespace {
namespace fs = std::filesystem;
// A unit that ran this long has recovered: its next failure counts as the first.
constexpr std::chrono::seconds kHealthyAfter{30};
}  // namespace

Status save_unit(const Unit& unit, const std::string& directory) {
  HIVE_TRY(os::make_directories(directory, 0755));
  const Json json{{"argv", unit.argv},
                  {"restart", unit.restart},
                  {"stop_seconds", unit.stop_seconds},
                  {"at_boot", unit.at_boot}};
  return os::write_file_atomically(fs::path(directory) / unit.name, json.dump(2), 0644);
}

Result<Unit> parse_unit(const std::string& name, const std::string& text) {
  HIVE_ASSIGN(const Json json, parse_json(text, "unit " + name));
  Unit out;
  out.name = name;
  out.restart = json_bool(json, "restart");
  out.stop_seconds = static_cast<int>(json_int(json, "stop_seconds", 20));
  out.at_boot = json_bool(json, "at_boot");
  if (const Json* argv = json_member(json, "argv"); argv != nullptr && argv->is_array())
    for (const auto& word : *argv)
      if (word.is_string()) out.argv.push_back(word.get<std::string>());
  if (out.argv.empty()) return fail(Errc::kCorrupt, "unit " + name + " has no command");
  return out;
}

Milliseconds Units::restart_delay(int failures) {
  return Milliseconds(std::min(10'000, 100 << std::clamp(failures - 1, 0, 7)));
}

void Units::start_due(const std::string& directory, MonotonicTime now) {
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (units_.contains(name) || name.find('.') != std::string::npos) continue;
    const auto text = os::read_file(at->path(), 65536);
    const auto unit = text ? parse_unit(name, *text) : Result<Unit>(tl::unexpected(text.error()));
    if (!unit) {
      log::error("init", "{}", describe(unit.error()));
      continue;
    }
    units_[name].unit = *unit;
    units_[name].finished = unit->at_boot && booted_;
  }
  booted_ = true;
  for (auto& [name, state] : units_) {
    if (state.pid != 0 || state.finished || now < state.due) continue;
    os::SpawnOptions options;
    const auto dash = name.find('-');
    options.log_path =
        "/var/log/hive/" + (dash == std::string::npos ? name : name.substr(dash + 1)) + ".log";
    const auto pid = os::spawn(state.unit.argv, options);
    if (!pid) {
      log::error("init", "starting {}: {}", name, describe(pid.error()));
      state.due = now + restart_delay(++state.failures);
      state.finished = !state.unit.restart;
      continue;
    }
    log::info("init", "started {} as process {}", name, *pid);
    state.pid = *pid;
    state.started = now;
  }
}

bool Units::ended(pid_t pid, MonotonicTime now) {
  for (auto& [name, state] : units_) {
    if (state.pid != pid) continue;
    state.pid = 0;
    state.failures = now - state.started > kHealthyAfter ? 1 : state.failures + 1;
    state.finished = !state.unit.restart;
    state.due = now + restart_delay(state.failures);
    log::warn("init", "{} ended{}", name, state.finished ? "" : ", it is started again");
    return true;
  }
  return false;
}

std::vector<Units::Running> Units::to_stop() const {
  std::vector<Running> out;
  for (const auto& [name, state] : units_)
    if (state.pid != 0) out.push_back({name, state.pid, state.unit.stop_seconds});
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace hive::cloud::local
