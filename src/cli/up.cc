// hive up: from a Compose file to a served application. Each step looks at what is there and does
// only what is missing; independent steps run at the same time.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

#include "base/text.h"
#include "cli/aws_cluster.h"
#include "cli/aws_up.h"
#include "cli/cluster_config.h"
#include "cli/commands.h"
#include "cli/compose_input.h"
#include "cli/context.h"
#include "cli/converge.h"
#include "cli/deploy.h"
#include "cli/formation.h"
#include "cli/images.h"
#include "cli/preflight.h"
#include "cli/reach.h"
#include "cli/record.h"
#include "cloud/local/local.h"
#include "engine/docker/client.h"
#include "net/http_client.h"
#include "os/file.h"

namespace hive::cli {
namespace {

namespace fs = std::filesystem;
namespace local = cloud::local;

struct UpArgs {
  std::vector<std::string> files;
  bool dry_run = false;
  bool detach = false;
  bool skip_preflight = false;
  std::optional<std::string> timeout;
};

class Up {
 public:
  Up(Context& context, const UpArgs& args, config::Spec spec)
      : context_(context), args_(args), spec_(std::move(spec)), began_(context.clock.now()) {}

  int run() {
    if (spec_.cluster.cloud == "aws") {
      if (args_.dry_run) return aws_dry_run(context_, spec_);
      AwsUpOptions options{.detach = args_.detach};
      if (args_.timeout) options.deadline = deadline();
      return aws_up(context_, spec_, options);
    }
    if (args_.dry_run) return dry_run();
    if (!args_.skip_preflight && !print_findings(context_, preflight_up(context_, spec_)))
      return kExitRefused;
    catch_interrupts();
    const auto done = bring_up();
    if (done) return finish();
    return context_.fail_wait(done.error());
  }

 private:
  const std::string& name() const { return spec_.cluster.name; }

  // One line a thing done, with the time since the beginning. Any thread.
  void did(const std::string& what) {
    const auto passed =
        std::chrono::duration_cast<Milliseconds>(context_.clock.now() - began_).count();
    std::lock_guard lock(mutex_);
    changed_ = true;
    char stamp[32];
    std::snprintf(stamp, sizeof stamp, "[%5.1fs] ", static_cast<double>(passed) / 1000);
    context_.line(stamp + what);
  }

  Status bring_up() {
    HIVE_TRY(os::make_directories(fs::path(state_parent()) / name(), 0700));
    auto lock = os::FileLock::try_acquire(fs::path(state_parent()) / name() / "up.lock");
    if (!lock) return annotate(lock.error(), "another 'hive up' of " + name() + " is at work");
    HIVE_TRY(write_intent());
    HIVE_ASSIGN(cluster_, local::create_cluster(name(), spec_.cluster.subnet));
    if (auto server = local::ensure_server(name()); !server)
      return annotate(server.error(), "starting the local cloud of " + name());
    // Images go to the registry, and the balancer starts, while the engines start and join.
    auto pushed = std::async(std::launch::async, [this] { return push_all(); });
    auto balanced = std::async(std::launch::async, [this] { return ensure_balancer(); });
    auto formed = form();
    const auto images = pushed.get();
    const auto balancer = balanced.get();
    if (!formed) return tl::unexpected(formed.error());
    formation_ = std::move(*formed);
    if (!images) return annotate(images.error(), "pushing images");
    if (!balancer) return annotate(balancer.error(), "setting the balancer up");
    HIVE_TRY(ensure_cluster_config());
    // Nobody waits for a node's registration before its tasks run.
    auto registered = std::async(std::launch::async, [this] { return register_members(); });
    const auto deployed = deploy();
    HIVE_TRY(registered.get());
    HIVE_TRY(deployed);
    if (!args_.detach) HIVE_TRY(wait_for_balancer());
    record_.complete = true;
    return write_record(record_);
  }

  Status write_intent() {
    auto before = read_record(name());
    if (!before && before.error().code == Errc::kCorrupt) return tl::unexpected(before.error());
    if (before) record_ = *before;
    const Record old = record_;
    record_.name = name();
    record_.files.clear();
    for (const auto& file : spec_.files) record_.files.push_back(fs::absolute(file).string());
    record_.directory =
        record_.files.empty() ? "" : fs::path(record_.files.front()).parent_path().string();
    record_.dashboard_port = spec_.cluster.dashboard_port;
    record_.listeners.clear();
    for (const auto& listener : balancer_spec().listeners)
      record_.listeners.push_back(listener.port);
    if (before && old == record_) return {};
    record_.complete = false;
    return write_record(record_);
  }

  Status push_all() {
    return push_missing_images(cluster_, spec_, [this](const std::string& what) { did(what); });
  }

  Result<Formation> form() {
    FormationRequest request{.cluster = name(),
                             .managers = spec_.cluster.managers,
                             .workers = spec_.cluster.workers.min};
    request.user_data = [this](const std::string& role) {
      return local::default_user_data(cluster_, role);
    };
    FormationWorld world;
    world.cloud = [this] { return local::connect(name()); };
    world.connect = [](const std::string& host) {
      engine::docker::EngineOptions options;
      options.host = host;
      options.deadline = Milliseconds(30'000);
      return engine::docker::connect(options);
    };
    world.pause = [](Milliseconds time) {
      std::this_thread::sleep_for(time);
      return !interrupted();
    };
    world.clock = &context_.clock;
    world.did = [this](const std::string& what) { did(what); };
    return form_swarm(request, world);
  }

  Status ensure_cluster_config() {
    HIVE_ASSIGN(const bool written, write_cluster_config(*formation_.leader, spec_));
    if (written) did("cluster settings stored in the Swarm");
    return {};
  }

  cloud::BalancerSpec balancer_spec() const {
    cloud::BalancerSpec balancer;
    balancer.health_port = 7080;
    balancer.health_path = "/healthz";
    bool dashboard = spec_.cluster.dashboard_port == 0;
    for (const auto& listener : spec_.cluster.listeners) {
      balancer.listeners.push_back({.port = listener.listen,
                                    .instance_port = listener.instance,
                                    .mode = listener.certificate.empty() ? listener.mode : "https",
                                    .certificate_pem = listener.certificate,
                                    .send_proxy = listener.proxy});
      dashboard = dashboard || listener.listen == spec_.cluster.dashboard_port ||
                  listener.instance == spec_.cluster.dashboard_port;
    }
    if (!dashboard)
      balancer.listeners.push_back(
          {.port = spec_.cluster.dashboard_port, .instance_port = spec_.cluster.dashboard_port});
    return balancer;
  }

  Status ensure_balancer() {
    const auto cloud = local::connect(name());
    const auto spec = balancer_spec();
    const auto before = cloud->balancer();
    if (before && before->spec.listeners == spec.listeners) return {};
    HIVE_TRY(cloud->ensure_balancer(spec));
    did("balancer listens at " + listed_ports(spec));
    return {};
  }

  Status register_members() {
    const auto cloud = local::connect(name());
    const auto before = cloud->balancer();
    for (const auto& member : formation_.members) {
      const auto& id = member.instance.id;
      const bool there = before && std::any_of(before->targets.begin(), before->targets.end(),
                                               [&](const auto& t) { return t.instance_id == id; });
      if (there) continue;
      if (auto done = cloud->register_instance(id); !done)
        return annotate(done.error(),
                        "registering " + member.instance.hostname + " with the balancer");
      did(member.instance.hostname + " registered with the balancer");
    }
    return {};
  }

  static std::string listed_ports(const cloud::BalancerSpec& spec) {
    std::vector<std::string> ports;
    for (const auto& listener : spec.listeners)
      ports.push_back(std::to_string(listener.port) + " -> " +
                      std::to_string(listener.instance_port));
    return join(ports, ", ");
  }

  Milliseconds deadline() const {
    const auto given = args_.timeout ? parse_duration(*args_.timeout)
                                     : Result<std::chrono::nanoseconds>(std::chrono::minutes(5));
    return given ? std::chrono::duration_cast<Milliseconds>(*given) : Milliseconds(300'000);
  }

  Status deploy() {
    DeployRequest request;
    request.stack = name();
    request.globals = Globals{.host = "", .cluster = name()};
    request.note = [this](const std::string& text) {
      std::lock_guard lock(mutex_);
      context_.note("hive: " + text);
    };
    request.did = [this](const std::string& what) { did(what); };
    HIVE_ASSIGN(const auto services, deploy_spec(*formation_.leader, spec_, request));
    if (args_.detach) return {};
    return wait_for_services(services);
  }

  // Without docker's verify period: the balancer's answer is the proof that is waited for.
  Status wait_for_services(const std::vector<std::string>& ids) {
    if (ids.empty()) return {};
    return wait_converged(context_, *formation_.leader, ids,
                          {.verify = Milliseconds(0), .deadline = deadline(), .quiet = !changed_});
  }

  Status wait_for_balancer() {
    const auto cloud = local::connect(name());
    HIVE_ASSIGN(const auto status, cloud->balancer());
    address_ = status.address;
    const auto begin = context_.clock.now();
    for (const auto& listener : status.spec.listeners) {
      std::string why;
      while (!answers(listener, why)) {
        if (context_.clock.now() - begin > deadline())
          return fail(Errc::kDeadlineExceeded, "the balancer's port " +
                                                   std::to_string(listener.port) +
                                                   " does not serve yet: " + why +
                                                   ". 'hive lb ls' and 'hive doctor' say "
                                                   "more");
        if (interrupted()) return fail(Errc::kCancelled, "interrupted; 'hive up' goes on");
        std::this_thread::sleep_for(Milliseconds(50));
      }
    }
    return {};
  }

  // Anything but a gateway's "nobody there" is an answer of the application.
  bool answers(const cloud::ListenerSpec& listener, std::string& why) {
    if (listener.mode != "http") return true;
    net::HttpClient client(
        {.base_url = "http://" + reachable_address() + ":" + std::to_string(listener.port)});
    const auto response = client.send({.path = "/", .deadline = Milliseconds(5'000)});
    if (!response)
      why = response.error().message;
    else
      why = "HTTP status " + std::to_string(response->status);
    return response && response->status != 503 && response->status != 502;
  }

  std::string reachable_address() const {
    return address_.empty() || address_ == "0.0.0.0" ? "127.0.0.1" : address_;
  }

  int finish() {
    if (!changed_) {
      context_.line("cluster " + name() + " is up as the file asks; nothing changed");
    } else {
      context_.line("cluster " + name() + " is up: " + std::to_string(spec_.cluster.managers) +
                    " managers, " +
                    std::to_string(formation_.members.size() - spec_.cluster.managers) +
                    " workers");
    }
    if (args_.detach) return kExitOk;
    for (const auto& listener : balancer_spec().listeners) {
      const bool dashboard = listener.instance_port == spec_.cluster.dashboard_port;
      const std::string scheme = listener.mode == "https" ? "https" : "http";
      context_.line(std::string(dashboard ? "  dashboard    " : "  application  ") + scheme +
                    "://" + reachable_address() + ":" + std::to_string(listener.port) + "/");
    }
    context_.line(
        "Go on with: hive status, hive service ls, hive service scale SERVICE=N, "
        "hive down");
    return kExitOk;
  }

  int dry_run() {
    const auto findings = preflight_up(context_, spec_);
    const bool fine = print_findings(context_, findings);
    const auto there = local::read_cluster(name());
    std::vector<cloud::Instance> instances;
    if (there) {
      if (auto all = local::connect(name())->list_instances()) instances = std::move(*all);
    }
    const auto missing = [&](const char* role, std::uint32_t wanted) {
      const auto have = std::count_if(instances.begin(), instances.end(),
                                      [&](const auto& i) { return i.role == role; });
      return std::max<std::int64_t>(0, static_cast<std::int64_t>(wanted) - have);
    };
    if (!there) context_.line("would create cluster " + name() + " with its network and registry");
    context_.line("would launch " + std::to_string(missing("manager", spec_.cluster.managers)) +
                  " managers and " + std::to_string(missing("worker", spec_.cluster.workers.min)) +
                  " workers");
    for (const auto& [reference, archive] : spec_.cluster.registry.images)
      context_.line("would push " + reference + " from " + archive + " unless it is there");
    context_.line("would listen at " + listed_ports(balancer_spec()));
    for (const auto& [service_name, service] : spec_.services)
      context_.line("would deploy service " + service_name + " (" + service.image + ", " +
                    std::to_string(service.deploy.replicas.value_or(1)) + " replicas)");
    return fine ? kExitOk : kExitRefused;
  }

  Context& context_;
  const UpArgs& args_;
  config::Spec spec_;
  MonotonicTime began_;
  local::LocalCluster cluster_;
  Record record_;
  Formation formation_;
  std::string address_;
  std::mutex mutex_;  // output and changed_
  bool changed_ = false;
};

}  // namespace

Command up_command() {
  return {.name = "up",
          .summary = "Bring up what the Compose file describes",
          .declare = [](Declare& declare) -> Action {
            auto args = std::make_shared<UpArgs>();
            declare.list("-f,--file", "FILE", &args->files,
                         "Compose file; several are merged (default: hive.yml, compose.yml)",
                         ValueKind::kFile);
            declare.flag("--dry-run", &args->dry_run, "Only print what would be done");
            declare.flag("-d,--detach", &args->detach, "Do not wait until services answer");
            declare.flag("--skip-preflight", &args->skip_preflight,
                         "Do not check this machine and the configuration first");
            declare.text(
                "--timeout", "DURATION", &args->timeout,
                "Give up waiting for services after this time (default: 5m; on AWS, of each "
                "wait: 30m)");
            return [args](Context& context) {
              auto spec = load_compose(context, args->files, true);
              if (!spec) return kExitRefused;
              return Up(context, *args, std::move(*spec)).run();
            };
          }};
}

}  // namespace hive::cli
