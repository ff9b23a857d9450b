#include "cloud/local/join.h"

#include <fmt/core.h>

#include <filesystem>

#include "base/json.h"
#include "engine/docker/client.h"

namespace hive::cloud::local {
namespace {

// Docker itself answers after 20 s when it could not reach a manager, and goes on trying.
constexpr Milliseconds kJoin{30'000};

Result<std::unique_ptr<engine::Engine>> engine_of(const Paths& paths,
                                                  const InstanceRecord& record) {
  const auto socket = paths.instance_run(record.id) / "docker.sock";
  std::error_code ignored;
  if (!std::filesystem::exists(socket, ignored))
    return fail(Errc::kUnavailable,
                fmt::format("the engine of {} has not started yet", record.hostname));
  engine::docker::EngineOptions options;
  options.host = "unix://" + socket.string();
  options.deadline = kJoin;
  return engine::docker::connect(options);
}

}  // namespace

Status join_swarm(const Paths& paths, const InstanceRecord& record, const SwarmPlace& place) {
  if (place.token.empty() || place.managers.empty())
    return fail(Errc::kInvalidArgument, "to join a swarm takes a token and a manager's address");
  HIVE_ASSIGN(const auto engine, engine_of(paths, record));
  const auto info = engine->info();
  if (!info)
    return fail(Errc::kUnavailable, fmt::format("the engine of {} does not answer yet: {}",
                                                record.hostname, info.error().message));
  const std::string state = json_string(*info, "Swarm.LocalNodeState", "inactive");
  if (state == "active" || state == "pending") return {};
  if (state != "inactive") HIVE_TRY(engine->swarm_leave(true));
  engine::SwarmJoin request;
  request.advertise_address = record.address;
  request.remote_addresses = place.managers;
  request.token = place.token;
  if (const auto joined = engine->swarm_join(request); !joined)
    return annotate(joined.error(), "joining " + record.hostname);
  return {};
}

}  // namespace hive::cloud::local
