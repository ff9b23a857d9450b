#include "release/keeper.h"

#include <set>

namespace hive::release {
namespace {

constexpr int kAttempts = 5;

// A history is of no use without its service. What fails here is tried at the next release.
void forget_gone(engine::Engine& engine) {
  const auto services = engine.list_services();
  const auto configs = engine.list_configs({{"name", {config_name("")}}});
  if (!services || !configs) return;
  std::set<std::string> there;
  for (const auto& service : *services) there.insert(config_name(service.id));
  for (const Json& config : *configs) {
    const std::string name = json_string(config, "Spec.Name");
    if (name.starts_with(config_name("")) && !there.contains(name))
      (void)engine.remove_config(json_string(config, "ID"));
  }
}

}  // namespace

Result<Releases> read(engine::Engine& engine, const std::string& service_id) {
  HIVE_ASSIGN(const auto configs, engine.list_configs({{"name", {config_name(service_id)}}}));
  for (const Json& config : configs)
    if (json_string(config, "Spec.Name") == config_name(service_id)) return from_config(config);
  Releases none;
  none.service_id = service_id;
  return none;
}

Status change(engine::Engine& engine, const std::string& service_id,
              const std::string& service_name, const std::function<bool(Releases&)>& edit) {
  for (int attempt = 1;; ++attempt) {
    HIVE_ASSIGN(Releases releases, read(engine, service_id));
    releases.service_name = service_name;
    if (!edit(releases)) return {};
    Status written;
    if (releases.config_id.empty()) {
      const auto created = engine.create_config(config_spec(releases));
      if (!created) written = tl::unexpected(created.error());
      if (created) forget_gone(engine);
    } else {
      Json spec = config_spec(releases);
      written = engine.update_config(releases.config_id, releases.version, spec);
    }
    if (written) return {};
    const auto code = written.error().code;
    const bool again = code == Errc::kConflict || code == Errc::kAlreadyExists;
    if (!again || attempt >= kAttempts)
      return annotate(written.error(), "writing down the releases of " + service_name);
  }
}

}  // namespace hive::release
