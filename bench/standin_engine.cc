// A stand-in for the Docker Engine API of a Swarm manager, for `./dev bench controller`: as many
// nodes and tasks as asked for, in the engine's own JSON, so that what reads them can be measured
// without a thousand machines. It reads only, apart from its own doors:
//   POST /standin/task?index=I&state=S    a task enters a state (running, failed, ...)
//   POST /standin/node?index=I&state=S    a node becomes ready or down
// Each change rises the version index and is told on /events, as Swarm does for nodes and services.
//
// usage: standin_engine SOCKET NODES TASKS SERVICES
#include <fmt/core.h>
#include <signal.h>

#include <chrono>
#include <ctime>
#include <mutex>

#include "base/json.h"
#include "base/text.h"
#include "net/http_server.h"

namespace hive::bench {
namespace {

constexpr const char* kImage =
    "registry.hive:5001/hive-tomcat:1.0@sha256:"
    "3f8a1b0e7c6d5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a";

std::string now_text() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now);
  const std::time_t time = seconds.count();
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  return fmt::format("{}.{:09d}Z", text, (now - seconds).count());
}

// 25 characters, as Swarm's.
std::string id(const char* kind, std::size_t index) {
  return fmt::format("{:0<17}{:08d}", kind, index);
}

struct Sizes {
  std::size_t nodes = 0, tasks = 0, services = 0;
};

class Swarm {
 public:
  explicit Swarm(Sizes sizes) : sizes_(sizes), born_(now_text()) {
    for (std::size_t i = 0; i < sizes_.nodes; ++i) nodes_.push_back(node(i, "ready").dump());
    for (std::size_t i = 0; i < sizes_.services; ++i) services_.push_back(service(i).dump());
    for (std::size_t i = 0; i < sizes_.tasks; ++i) tasks_.push_back(task(i, "running").dump());
  }

  net::ServerResponse answer(const net::ServerRequest& request) {
    std::string path = request.path;
    if (path.starts_with("/v1.")) path.erase(0, path.find('/', 1));
    std::lock_guard lock(mutex_);
    if (path == "/_ping") return ping();
    if (path == "/version")
      return json({{"Version", "20.10.24"}, {"ApiVersion", "1.41"}, {"MinAPIVersion", "1.12"}});
    if (path == "/info") return json(info());
    if (path == "/nodes") return whole(nodes_, nodes_body_);
    if (path == "/services") return services(request);
    if (path == "/tasks") return tasks(request);
    if (path == "/configs") return json(Json::array());
    if (path == "/events") return events();
    if (path.starts_with("/nodes/")) return one(path.substr(7), "node", nodes_);
    if (path.starts_with("/services/")) return one(path.substr(10), "service", services_);
    if (path.starts_with("/standin/")) return change(path.substr(9), request);
    return json({{"message", "page not found"}}, 404);
  }

 private:
  static net::ServerResponse json(const Json& value, int status = 200) {
    return net::ServerResponse::json(value.dump(), status);
  }

  static net::ServerResponse ping() {
    net::ServerResponse out;
    out.body = "OK";
    out.content_type = "text/plain";
    out.headers.emplace("Api-Version", "1.41");
    out.headers.emplace("Docker-Experimental", "false");
    return out;
  }

  Json info() const {
    return {{"ID", "standin"},
            {"Name", "node-0"},
            {"OSType", "linux"},
            {"Swarm",
             {{"NodeID", id("node", 0)},
              {"LocalNodeState", "active"},
              {"ControlAvailable", true},
              {"Cluster", {{"ID", "standincluster"}}}}}};
  }

  Json node(std::size_t i, const char* state) const {
    Json out{
        {"ID", id("node", i)},
        {"Version", {{"Index", version_}}},
        {"CreatedAt", born_},
        {"UpdatedAt", now_text()},
        {"Spec",
         {{"Labels", {{"zone", i % 2 == 0 ? "a" : "b"}}},
          {"Role", i < 3 ? "manager" : "worker"},
          {"Availability", "active"}}},
        {"Description",
         {{"Hostname", fmt::format("node-{}", i)},
          {"Platform", {{"Architecture", "x86_64"}, {"OS", "linux"}}},
          {"Resources", {{"NanoCPUs", 4'000'000'000}, {"MemoryBytes", 16'000'000'000}}},
          {"Engine", {{"EngineVersion", "20.10.24"}, {"Plugins", plugins()}}},
          {"TLSInfo",
           {{"TrustRoot", std::string(780, 'R')},
            {"CertIssuerSubject", "MBMxETAPBgNVBAMTCHN3YXJtLWNh"},
            {"CertIssuerPublicKey", std::string(124, 'K')}}}}},
        {"Status", {{"State", state}, {"Addr", fmt::format("10.{}.{}.1", i / 250 + 1, i % 250)}}}};
    if (std::string_view(state) == "down") out["Status"]["Message"] = "heartbeat failure";
    if (i < 3)
      out["ManagerStatus"] = {{"Reachability", "reachable"},
                              {"Addr", fmt::format("10.1.{}.1:2377", i)}};
    if (i == 0) out["ManagerStatus"]["Leader"] = true;
    return out;
  }

  static Json plugins() {
    Json out = Json::array();
    for (const char* name : {"awslogs", "fluentd", "gcplogs", "gelf", "journald", "json-file",
                             "local", "logentries", "splunk", "syslog"})
      out.push_back({{"Type", "Log"}, {"Name", name}});
    for (const char* name : {"bridge", "host", "ipvlan", "macvlan", "null", "overlay"})
      out.push_back({{"Type", "Network"}, {"Name", name}});
    return out;
  }

  Json task_template(std::size_t service) const {
    return {{"ContainerSpec",
             {{"Image", kImage},
              {"Labels", {{"com.docker.stack.namespace", "shop"}}},
              {"Env", {fmt::format("SERVICE={}", service), "JAVA_OPTS=-Xmx256m", "TZ=Asia/Seoul"}},
              {"Privileges", {{"CredentialSpec", nullptr}, {"SELinuxContext", nullptr}}},
              {"Healthcheck",
               {{"Test", {"CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/health"}},
                {"Interval", 2'000'000'000},
                {"Timeout", 2'000'000'000},
                {"Retries", 3}}},
              {"Init", true},
              {"Isolation", "default"}}},
            {"Resources", {{"Limits", Json::object()}, {"Reservations", Json::object()}}},
            {"RestartPolicy", {{"Condition", "any"}, {"Delay", 5'000'000'000}, {"MaxAttempts", 0}}},
            {"Placement", {{"Platforms", {{{"Architecture", "amd64"}, {"OS", "linux"}}}}}},
            {"Networks", {{{"Target", "9xj0q3n5f1y8m2k7b4d6c0aab"}, {"Aliases", {"web"}}}}},
            {"ForceUpdate", 0}};
  }

  Json service(std::size_t i) const {
    const Json spec{
        {"Name", fmt::format("shop_service-{}", i)},
        {"Labels",
         {{"com.docker.stack.namespace", "shop"},
          {"hive.listeners", fmt::format("[{{\"listen\":{}}}]", 8000 + i)}}},
        {"TaskTemplate", task_template(i)},
        {"Mode", {{"Replicated", {{"Replicas", sizes_.tasks / sizes_.services}}}}},
        {"UpdateConfig", {{"Parallelism", 1}, {"Order", "start-first"}}},
        {"EndpointSpec",
         {{"Mode", "dnsrr"},
          {"Ports", {{{"Protocol", "tcp"}, {"TargetPort", 8080}, {"PublishMode", "host"}}}}}}};
    return {{"ID", id("service", i)},
            {"Version", {{"Index", version_}}},
            {"CreatedAt", born_},
            {"UpdatedAt", born_},
            {"Spec", spec},
            {"PreviousSpec", spec},
            {"Endpoint", {{"Spec", spec["EndpointSpec"]}}}};
  }

  Json task(std::size_t i, const char* state) const {
    const std::size_t of = i % sizes_.services;
    const bool runs = std::string_view(state) == "running";
    Json out{{"ID", id("task", i)},
             {"Version", {{"Index", version_}}},
             {"CreatedAt", born_},
             {"UpdatedAt", now_text()},
             {"Labels", Json::object()},
             {"Spec", task_template(of)},
             {"ServiceID", id("service", of)},
             {"Slot", i / sizes_.services + 1},
             {"NodeID", id("node", i % sizes_.nodes)},
             {"Status",
              {{"Timestamp", now_text()},
               {"State", state},
               {"Message", runs ? "started" : "finished"},
               {"ContainerStatus",
                {{"ContainerID", fmt::format("{:064x}", i)},
                 {"PID", runs ? static_cast<int>(1000 + i) : 0},
                 {"ExitCode", runs ? 0 : 143}}},
               {"PortStatus",
                {{"Ports",
                  {{{"Protocol", "tcp"},
                    {"TargetPort", 8080},
                    {"PublishedPort", 32768 + i / sizes_.nodes},
                    {"PublishMode", "host"}}}}}}}},
             {"DesiredState", runs ? "running" : "shutdown"},
             {"NetworksAttachments",
              {{{"Network",
                 {{"ID", "9xj0q3n5f1y8m2k7b4d6c0aab"},
                  {"Version", {{"Index", 11}}},
                  {"CreatedAt", born_},
                  {"UpdatedAt", born_},
                  {"Spec",
                   {{"Name", "shop_default"},
                    {"Labels", {{"com.docker.stack.namespace", "shop"}}},
                    {"DriverConfiguration", {{"Name", "overlay"}}},
                    {"Scope", "swarm"}}},
                  {"DriverState",
                   {{"Name", "overlay"},
                    {"Options", {{"com.docker.network.driver.overlay.vxlanid_list", "4097"}}}}}}},
                {"Addresses", {fmt::format("10.0.{}.{}/16", i / 250, i % 250 + 2)}}}}}};
    return out;
  }

  static std::string joined(const std::vector<const std::string*>& texts) {
    std::string out = "[";
    for (const auto* text : texts) {
      if (out.size() > 1) out += ',';
      out += *text;
    }
    return out + "]\n";
  }

  // The list's text, made once a change.
  static net::ServerResponse whole(const std::vector<std::string>& list, std::string& body) {
    if (body.empty()) {
      std::vector<const std::string*> all;
      all.reserve(all.size() + list.size());
      for (const auto& text : list) all.push_back(&text);
      body = joined(all);
    }
    return net::ServerResponse::json(body);
  }

  // The values of one filter, as docker's command line and hive write them.
  static std::vector<std::string> filter(const net::ServerRequest& request, const char* name) {
    std::vector<std::string> out;
    const auto found = request.query.find("filters");
    if (found == request.query.end()) return out;
    const auto filters = parse_json(found->second, "filters");
    const Json* values = filters ? json_member(*filters, name) : nullptr;
    if (values == nullptr) return out;
    for (const auto& [key, value] : values->items())
      out.push_back(values->is_object() ? key : value.get<std::string>());
    return out;
  }

  net::ServerResponse services(const net::ServerRequest& request) {
    std::vector<const std::string*> chosen;
    auto wanted = filter(request, "id");
    for (auto& name : filter(request, "name")) wanted.push_back(std::move(name));
    if (wanted.empty()) return whole(services_, services_body_);
    for (std::size_t i = 0; i < services_.size(); ++i)
      for (const auto& word : wanted)
        if (id("service", i) == word || fmt::format("shop_service-{}", i) == word)
          chosen.push_back(&services_[i]);
    return net::ServerResponse::json(joined(chosen));
  }

  net::ServerResponse tasks(const net::ServerRequest& request) {
    const auto wanted = filter(request, "service");
    if (wanted.empty()) return whole(tasks_, tasks_body_);
    std::vector<const std::string*> chosen;
    for (const auto& word : wanted)
      for (std::size_t i = 0; i < tasks_.size(); ++i)
        if (id("service", i % sizes_.services) == word) chosen.push_back(&tasks_[i]);
    return net::ServerResponse::json(joined(chosen));
  }

  static net::ServerResponse one(const std::string& word, const char* kind,
                                 const std::vector<std::string>& list) {
    for (std::size_t i = 0; i < list.size(); ++i)
      if (id(kind, i) == word) return net::ServerResponse::json(list[i]);
    return json({{"message", fmt::format("{} {} not found", kind, word)}}, 404);
  }

  net::ServerResponse events() {
    net::ServerResponse out;
    out.on_stream = [this](std::shared_ptr<net::EventStream> stream) {
      std::lock_guard lock(mutex_);
      streams_.push_back(std::move(stream));
    };
    return out;
  }

  net::ServerResponse change(const std::string& kind, const net::ServerRequest& request) {
    const auto index = request.query.find("index");
    const auto state = request.query.find("state");
    if (index == request.query.end() || state == request.query.end())
      return json({{"message", "index and state are wanted"}}, 400);
    const std::size_t i = std::strtoull(index->second.c_str(), nullptr, 10);
    ++version_;
    if (kind == "task" && i < tasks_.size()) {
      tasks_[i] = task(i, state->second.c_str()).dump();
      tasks_body_.clear();
    } else if (kind == "node" && i < nodes_.size()) {
      nodes_[i] = node(i, state->second.c_str()).dump();
      nodes_body_.clear();
      tell(id("node", i));
    } else {
      return json({{"message", "no such thing"}}, 404);
    }
    return json({{"index", version_}});
  }

  void tell(const std::string& node) {
    const auto event = std::make_shared<const std::string>(
        Json{{"Type", "node"}, {"Action", "update"}, {"Actor", {{"ID", node}}}}.dump() + "\n");
    std::erase_if(streams_, [&](const auto& stream) { return !stream->push_frame(event); });
  }

  const Sizes sizes_;
  const std::string born_;
  std::mutex mutex_;
  std::uint64_t version_ = 100;
  std::vector<std::string> nodes_, services_, tasks_;    // each object's JSON
  std::string nodes_body_, services_body_, tasks_body_;  // lists, empty when out of date
  std::vector<std::shared_ptr<net::EventStream>> streams_;
};

int serve(const std::string& socket, Sizes sizes) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Swarm swarm(sizes);
  net::ServerOptions options;
  options.workers = 2;
  options.keepalive = Milliseconds(86'400'000);  // the engine's event stream has no pings
  net::HttpServer server(options,
                         [&](const net::ServerRequest& request) { return swarm.answer(request); });
  if (const auto started = server.start({{.unix_path = socket}}); !started) {
    fmt::print(stderr, "standin_engine: {}\n", started.error().message);
    return 1;
  }
  int signal = 0;
  sigwait(&signals, &signal);
  server.stop();
  return 0;
}

}  // namespace
}  // namespace hive::bench

int main(int argc, char** argv) {
  if (argc != 5) {
    fmt::print(stderr, "usage: standin_engine SOCKET NODES TASKS SERVICES\n");
    return 2;
  }
  const auto number = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
  const hive::bench::Sizes sizes{number(2), number(3), number(4)};
  if (sizes.nodes == 0 || sizes.tasks == 0 || sizes.services == 0) return 2;
  return hive::bench::serve(argv[1], sizes);
}
