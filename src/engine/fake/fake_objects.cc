// Configs, secrets, networks, volumes, images and containers of the fake, its logs and events.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "engine/fake/fake_engine.h"
#include "engine/fake/fake_json.h"

namespace hive::engine::fake {
namespace {

constexpr std::size_t kMaxEvents = 1000;

std::string tagged(const std::string& reference) {
  const auto slash = reference.rfind('/');
  const auto from = slash == std::string::npos ? 0 : slash;
  return reference.find(':', from) == std::string::npos ? reference + ":latest" : reference;
}

bool uses(const Json& service, std::string_view list, std::string_view key, const std::string& id) {
  const Json* references =
      json_path(service, "Spec.TaskTemplate.ContainerSpec." + std::string(list));
  if (references == nullptr || !references->is_array()) return false;
  return std::any_of(references->begin(), references->end(),
                     [&](const Json& reference) { return json_string(reference, key) == id; });
}

Status needs_archive(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) return {};
  return fail(Errc::kNotFound, fmt::format("opening archive {}: No such file or directory", path));
}

}  // namespace

Result<std::vector<Json>> FakeEngine::list_configs(const Filters& filters) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("list_configs"));
  HIVE_TRY(need_manager());
  return select(configs_, filters);
}
Result<std::string> FakeEngine::create_config(const Json& spec) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("create_config", json_string(spec, "Name")));
  HIVE_TRY(need_manager());
  return create_named(configs_, "config", spec);
}
Status FakeEngine::update_config(const std::string& id, std::uint64_t version, const Json& spec) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("update_config", id));
  HIVE_TRY(need_manager());
  HIVE_ASSIGN(const Json* config, find(configs_, "config", id));
  const Json* data = json_path(*config, "Spec.Data");
  if (spec.contains("Data") && data != nullptr && spec["Data"] != *data)
    return fail(Errc::kInvalidArgument, "only updates to Labels are allowed");
  return update_versioned(configs_, "config", id, version, spec);
}
Status FakeEngine::remove_config(const std::string& id_or_name) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("remove_config", id_or_name));
  HIVE_TRY(need_manager());
  HIVE_ASSIGN(const Json* config, find(configs_, "config", id_or_name));
  const std::string id = json_string(*config, "ID");
  for (const auto& [service_id, service] : services_)
    if (uses(service, "Configs", "ConfigID", id))
      return fail(Errc::kFailedPrecondition,
                  fmt::format("config '{}' is in use by the following service: {}",
                              name_of(*config), name_of(service)));
  configs_.erase(id);
  return {};
}

Result<std::vector<Json>> FakeEngine::list_secrets(const Filters& filters) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("list_secrets"));
  HIVE_TRY(need_manager());
  std::vector<Json> found = select(secrets_, filters);
  for (Json& secret : found) secret["Spec"].erase("Data");  // never handed out again
  return found;
}
Result<std::string> FakeEngine::create_secret(const Json& spec) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("create_secret", json_string(spec, "Name")));
  HIVE_TRY(need_manager());
  return create_named(secrets_, "secret", spec);
}
Status FakeEngine::update_secret(const std::string& id, std::uint64_t version, const Json& spec) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("update_secret", id));
  HIVE_TRY(need_manager());
  HIVE_ASSIGN(const Json* secret, find(secrets_, "secret", id));
  const Json* data = json_path(*secret, "Spec.Data");
  // The content may be sent again (swarmkit manager/controlapi/secret.go).
  if (spec.contains("Data") && (data == nullptr || spec["Data"] != *data))
    return fail(Errc::kInvalidArgument, "only updates to Labels are allowed");
  return update_versioned(secrets_, "secret", id, version, spec);
}
Status FakeEngine::remove_secret(const std::string& id_or_name) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("remove_secret", id_or_name));
  HIVE_TRY(need_manager());
  HIVE_ASSIGN(const Json* secret, find(secrets_, "secret", id_or_name));
  const std::string id = json_string(*secret, "ID");
  for (const auto& [service_id, service] : services_)
    if (uses(service, "Secrets", "SecretID", id))
      return fail(Errc::kFailedPrecondition,
                  fmt::format("secret '{}' is in use by the following service: {}",
                              name_of(*secret), name_of(service)));
  secrets_.erase(id);
  return {};
}

Result<std::vector<Json>> FakeEngine::list_networks(const Filters& filters) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("list_networks"));
  return select(networks_, filters);
}
Result<Json> FakeEngine::inspect_network(const std::string& id_or_name) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("inspect_network", id_or_name));
  HIVE_ASSIGN(const Json* network, find(networks_, "network", id_or_name));
  return *network;
}
Result<std::string> FakeEngine::create_network(const Json& request) {
  const std::lock_guard lock(mutex_);
  const std::string name = json_string(request, "Name");
  HIVE_TRY(enter("create_network", name));
  if (name.empty()) return fail(Errc::kInvalidArgument, "network name is required");
  const std::string driver = json_string(request, "Driver", "bridge");
  if (driver == "overlay") HIVE_TRY(need_manager());
  if (name_taken(networks_, name, ""))
    return fail(Errc::kAlreadyExists, fmt::format("network with name {} already exists", name));
  const std::string id = new_id();
  Json network = request;
  network["Id"] = id;
  network["Driver"] = driver;
  network["Scope"] = driver == "overlay" ? "swarm" : "local";
  if (!network.contains("Labels")) network["Labels"] = Json::object();
  networks_.emplace(id, std::move(network));
  put_event("network", "create", id, name);
  return id;
}
Status FakeEngine::remove_network(const std::string& id_or_name) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("remove_network", id_or_name));
  HIVE_ASSIGN(const Json* network, find(networks_, "network", id_or_name));
  const std::string id = json_string(*network, "Id");
  const std::string name = name_of(*network);
  for (const auto& [service_id, service] : services_) {
    const Json* targets = json_path(service, "Spec.TaskTemplate.Networks");
    if (targets == nullptr || !targets->is_array()) continue;
    for (const Json& target : *targets) {
      const std::string at = json_string(target, "Target");
      if (at == id || at == name)
        return fail(Errc::kFailedPrecondition,
                    fmt::format("network {} is in use by service {}", name, service_id));
    }
  }
  networks_.erase(id);
  put_event("network", "remove", id, name);
  return {};
}

Result<std::vector<Json>> FakeEngine::list_volumes(const Filters& filters) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("list_volumes"));
  return select(volumes_, filters);
}
Result<Json> FakeEngine::inspect_volume(const std::string& name) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("inspect_volume", name));
  HIVE_ASSIGN(const Json* volume, find(volumes_, "volume", name));
  return *volume;
}
Result<Json> FakeEngine::create_volume(const Json& request) {
  const std::lock_guard lock(mutex_);
  std::string name = json_string(request, "Name");
  HIVE_TRY(enter("create_volume", name));
  if (name.empty()) name = new_id() + new_id();
  const auto existing = volumes_.find(name);  // creating it again gives the same one
  if (existing != volumes_.end()) return existing->second;
  Json volume{{"Name", name},
              {"Driver", json_string(request, "Driver", "local")},
              {"Options", request.value("DriverOpts", Json())},
              {"Labels", request.value("Labels", Json())},
              {"Mountpoint", "/var/lib/docker/volumes/" + name + "/_data"},
              {"Scope", "local"}};
  return volumes_.emplace(name, std::move(volume)).first->second;
}
Status FakeEngine::remove_volume(const std::string& name, bool force) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("remove_volume", name));
  if (volumes_.erase(name) != 0 || force) return {};
  return fail(Errc::kNotFound, fmt::format("get {}: no such volume", name));
}

// --- images

std::string FakeEngine::add_image(const std::string& reference, const Json& details) {
  const std::lock_guard lock(mutex_);
  std::string id = "sha256:" + std::string(14, '0') + new_id() + new_id();
  Json image = details;
  image["Id"] = id;
  image["RepoTags"] = Json::array({tagged(reference)});
  images_[tagged(reference)] = std::move(image);
  return id;
}

Result<std::vector<Json>> FakeEngine::list_images(const Filters& filters) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("list_images"));
  std::vector<Json> found;
  const auto wanted = filters.find("reference");
  for (const auto& [reference, image] : images_)
    if (wanted == filters.end() ||
        std::any_of(wanted->second.begin(), wanted->second.end(),
                    [&, &name = reference](const std::string& one) { return tagged(one) == name; }))
      found.push_back(image);
  return found;
}
Result<Json> FakeEngine::inspect_image(const std::string& reference) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("inspect_image", reference));
  const auto by_tag = images_.find(tagged(reference));
  if (by_tag != images_.end()) return by_tag->second;
  for (const auto& [tag, image] : images_)
    if (json_string(image, "Id") == reference) return image;
  return fail(Errc::kNotFound, fmt::format("No such image: {}", tagged(reference)));
}
Status FakeEngine::pull_image(const std::string& reference, const RegistryAuth& auth,
                              const std::function<void(const PullProgress&)>& on_progress,
                              std::stop_token) {
  {
    const std::lock_guard lock(mutex_);
    HIVE_TRY(enter("pull_image", reference));
    last_auth_ = auth;
    if (images_.count(tagged(reference)) == 0)
      return fail(Errc::kNotFound, fmt::format("manifest for {} not found", tagged(reference)));
  }
  if (on_progress) on_progress({"", "Status: Image is up to date for " + tagged(reference), 0, 0});
  return {};
}
Status FakeEngine::push_image(const std::string& reference, const RegistryAuth& auth,
                              const std::function<void(const PullProgress&)>& on_progress) {
  {
    const std::lock_guard lock(mutex_);
    HIVE_TRY(enter("push_image", reference));
    last_auth_ = auth;
    if (images_.count(tagged(reference)) == 0)
      return fail(Errc::kNotFound,
                  fmt::format("An image does not exist locally with the tag: {}", reference));
  }
  if (on_progress) on_progress({"", "Pushed", 1, 1});
  return {};
}
Status FakeEngine::tag_image(const std::string& source, const std::string& target) {
  HIVE_ASSIGN(Json image, inspect_image(source));
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("tag_image", target));
  image["RepoTags"] = Json::array({tagged(target)});
  images_[tagged(target)] = std::move(image);
  return {};
}
Status FakeEngine::remove_image(const std::string& reference, bool) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("remove_image", reference));
  if (images_.erase(tagged(reference)) != 0) return {};
  return fail(Errc::kNotFound, fmt::format("No such image: {}", tagged(reference)));
}
Status FakeEngine::load_image(const std::string& archive_path) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("load_image", archive_path));
  return needs_archive(archive_path);
}
Result<std::string> FakeEngine::import_image(const std::string& archive_path,
                                             const std::string& reference,
                                             const std::vector<std::string>&) {
  {
    const std::lock_guard lock(mutex_);
    HIVE_TRY(enter("import_image", reference));
    HIVE_TRY(needs_archive(archive_path));
  }
  return add_image(reference);
}
Result<std::string> FakeEngine::build_image(const std::string& context_archive_path,
                                            const std::string& tag,
                                            const std::function<void(std::string_view)>& on_line) {
  {
    const std::lock_guard lock(mutex_);
    HIVE_TRY(enter("build_image", tag));
    HIVE_TRY(needs_archive(context_archive_path));
  }
  const std::string id = add_image(tag);
  if (on_line) on_line("Successfully built " + id + "\n");
  return id;
}

// --- containers

Result<std::vector<Json>> FakeEngine::list_containers(bool all, const Filters& filters) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("list_containers"));
  std::vector<Json> found;
  for (const Json& container : select(containers_, filters)) {
    std::string state = json_string(container, "State.Status");
    if (list_is_stale_ && state == "exited") state = "running";
    if (!all && state != "running") continue;
    found.push_back({{"Id", json_string(container, "Id")},
                     {"Names", Json::array({json_string(container, "Name")})},
                     {"Image", json_string(container, "Config.Image")},
                     {"Labels", container.value("Labels", Json::object())},
                     {"State", state}});
  }
  return found;
}
Result<Json> FakeEngine::inspect_container(const std::string& id) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("inspect_container", id));
  HIVE_ASSIGN(const Json* container, find(containers_, "container", id));
  return *container;
}
Result<std::string> FakeEngine::create_container(const std::string& name, const Json& config) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("create_container", name));
  const std::string image = json_string(config, "Image");
  if (images_.count(tagged(image)) == 0)
    return fail(Errc::kNotFound, fmt::format("No such image: {}", tagged(image)));
  if (!name.empty() && name_taken(containers_, name, ""))
    return fail(Errc::kAlreadyExists,
                fmt::format("Conflict. The container name \"/{}\" is already in use", name));
  const std::string id = new_id() + new_id();
  containers_[id] = {{"Id", id},
                     {"Name", name},
                     {"Config", config},
                     {"Labels", config.value("Labels", Json::object())},
                     {"State", {{"Status", "created"}, {"Running", false}, {"ExitCode", 0}}}};
  put_event("container", "create", id, name);
  return id;
}
Status FakeEngine::start_container(const std::string& id) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("start_container", id));
  HIVE_ASSIGN(Json * container, find(containers_, "container", id));
  (*container)["State"] = {
      {"Status", "running"}, {"Running", true}, {"ExitCode", 0}, {"Pid", 1'000 + index_}};
  put_event("container", "start", json_string(*container, "Id"), name_of(*container));
  return {};
}
Status FakeEngine::stop_container(const std::string& id, std::optional<int>) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("stop_container", id));
  HIVE_ASSIGN(Json * container, find(containers_, "container", id));
  if (!json_bool(*container, "State.Running")) return {};  // 304 in the real one
  (*container)["State"] = {{"Status", "exited"}, {"Running", false}, {"ExitCode", 143}};
  put_event("container", "die", json_string(*container, "Id"), name_of(*container));
  return {};
}
Status FakeEngine::kill_container(const std::string& id, const std::string& signal) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("kill_container", id + " " + signal));
  HIVE_ASSIGN(Json * container, find(containers_, "container", id));
  if (!json_bool(*container, "State.Running"))
    return fail(Errc::kFailedPrecondition, fmt::format("Container {} is not running", id));
  (*container)["State"] = {{"Status", "exited"}, {"Running", false}, {"ExitCode", 137}};
  put_event("container", "kill", json_string(*container, "Id"), name_of(*container));
  put_event("container", "die", json_string(*container, "Id"), name_of(*container));
  return {};
}
Result<std::string> FakeEngine::start_exec(const std::string& container_id,
                                           const std::vector<std::string>& words) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("start_exec", container_id));
  HIVE_ASSIGN(Json * container, find(containers_, "container", container_id));
  if (!json_bool(*container, "State.Running"))
    return fail(Errc::kFailedPrecondition,
                fmt::format("Container {} is not running", container_id));
  const std::string id = new_id();
  execs_[id] = {{"Id", id}, {"ExitCode", !words.empty() && words.front() == "false" ? 1 : 0}};
  return id;
}
Result<ExecState> FakeEngine::inspect_exec(const std::string& exec_id) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("inspect_exec", exec_id));
  HIVE_ASSIGN(const Json* exec, find(execs_, "exec instance", exec_id));
  return ExecState{false, static_cast<int>(json_int(*exec, "ExitCode"))};
}
Result<int> FakeEngine::wait_container(const std::string& id, Milliseconds deadline) {
  std::unique_lock lock(mutex_);
  HIVE_TRY(enter("wait_container", id));
  HIVE_TRY(find(containers_, "container", id));
  const bool over = changed_.wait_for(lock, deadline, [&] {
    const auto container = find(containers_, "container", id);
    return !container || !json_bool(**container, "State.Running");
  });
  if (!over) return fail(Errc::kDeadlineExceeded, fmt::format("container {} still runs", id));
  HIVE_ASSIGN(const Json* container, find(containers_, "container", id));
  return static_cast<int>(json_int(*container, "State.ExitCode"));
}
Status FakeEngine::remove_container(const std::string& id, bool force, bool) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("remove_container", id));
  HIVE_ASSIGN(const Json* container, find(containers_, "container", id));
  if (!force && json_bool(*container, "State.Running"))
    return fail(Errc::kFailedPrecondition,
                fmt::format("You cannot remove a running container {}", id));
  const std::string own_id = json_string(*container, "Id");
  const std::string name = name_of(*container);
  containers_.erase(own_id);
  put_event("container", "destroy", own_id, name);
  return {};
}
Result<std::string> FakeEngine::commit_container(const std::string& id,
                                                 const std::string& reference,
                                                 const std::vector<std::string>&) {
  {
    const std::lock_guard lock(mutex_);
    HIVE_TRY(enter("commit_container", id + " " + reference));
    HIVE_TRY(find(containers_, "container", id));
  }
  return add_image(reference);
}

// --- streams

void FakeEngine::add_log(const std::string& id, LogLine line) {
  const std::lock_guard lock(mutex_);
  logs_[id].push_back(std::move(line));
  changed_.notify_all();
}

Status FakeEngine::replay_log(const std::string& id, const LogOptions& options,
                              const std::function<bool(LogLine)>& on_line,
                              const std::stop_token& stop) {
  std::size_t next = 0;
  while (!stop.stop_requested()) {
    LogLine line;
    {
      std::unique_lock lock(mutex_);
      std::vector<LogLine>& lines = logs_[id];
      if (next >= lines.size()) {
        if (!options.follow) return {};
        changed_.wait(lock, stop, [&] { return next < lines.size(); });
        continue;
      }
      line = lines[next++];
    }
    if ((line.stream == 1 && !options.out) || (line.stream == 2 && !options.err)) continue;
    if (!on_line(std::move(line))) return {};
  }
  return {};
}

Status FakeEngine::service_logs(const std::string& id, const LogOptions& options,
                                const std::function<bool(LogLine)>& on_line, std::stop_token stop) {
  HIVE_ASSIGN(const Json service, inspect_service(id));
  return replay_log(json_string(service, "ID"), options, on_line, stop);
}
Status FakeEngine::task_logs(const std::string& id, const LogOptions& options,
                             const std::function<bool(LogLine)>& on_line, std::stop_token stop) {
  HIVE_TRY(inspect_task(id));
  return replay_log(id, options, on_line, stop);
}
Status FakeEngine::container_logs(const std::string& id, const LogOptions& options,
                                  const std::function<bool(LogLine)>& on_line,
                                  std::stop_token stop) {
  HIVE_ASSIGN(const Json container, inspect_container(id));
  return replay_log(json_string(container, "Id"), options, on_line, stop);
}

void FakeEngine::put_event(const std::string& type, const std::string& action,
                           const std::string& id, const std::string& name) {
  Event event;
  event.type = type;
  event.action = action;
  event.actor_id = id;
  event.attributes["name"] = name;
  // Docker tells a container's labels with its events.
  if (const auto found = containers_.find(id); type == "container" && found != containers_.end()) {
    const Json labels = found->second.value("Labels", Json::object());
    for (const auto& [key, value] : labels.items())
      if (value.is_string()) event.attributes[key] = value.get<std::string>();
  }
  event.time_ns = static_cast<std::int64_t>(index_);
  events_.push_back(std::move(event));
  if (events_.size() > kMaxEvents) {
    events_.pop_front();
    ++first_event_;
  }
  changed_.notify_all();
}

void FakeEngine::emit(Event event) {
  const std::lock_guard lock(mutex_);
  events_.push_back(std::move(event));
  changed_.notify_all();
}

void FakeEngine::drop_event_connections() {
  const std::lock_guard lock(mutex_);
  ++generation_;
  changed_.notify_all();
}

Status FakeEngine::events(const Filters& filters, const std::function<bool(const Event&)>& on_event,
                          std::stop_token stop) {
  const auto wanted = filters.find("type");
  while (!stop.stop_requested()) {
    std::uint64_t generation = 0, next = 0;
    {
      const std::lock_guard lock(mutex_);
      generation = generation_;
      next = first_event_ + events_.size();
    }
    Event event;
    event.relist = true;
    bool connected = true;
    while (connected) {
      const bool passes = event.relist || wanted == filters.end() ||
                          std::count(wanted->second.begin(), wanted->second.end(), event.type) != 0;
      if (passes && !on_event(event)) return {};
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [&] {
            return generation != generation_ || next < first_event_ + events_.size();
          }))
        return {};
      connected = generation == generation_ && next >= first_event_;
      if (connected) event = events_[next++ - first_event_];
    }
  }
  return {};
}

}  // namespace hive::engine::fake
