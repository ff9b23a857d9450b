#include "boot/main.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "base/log.h"
#include "boot/become_node.h"
#include "boot/services.h"
#include "cloud/aws/client.h"
#include "cloud/aws/ec2.h"
#include "cloud/aws/identity.h"
#include "cloud/aws/metadata.h"
#include "cloud/aws/user_data.h"
#include "engine/docker/client.h"
#include "net/http_client.h"
#include "os/file.h"
#include "os/process.h"

namespace hive::boot {
namespace {

namespace aws = cloud::aws;

constexpr const char* kComponent = "boot";
constexpr const char* kAuthorityFile = "/run/hive/swarm-authority.pem";
constexpr Milliseconds kAskDeadline{30'000};
constexpr Milliseconds kEngineStart{5'000};
constexpr Milliseconds kPauseSlice{100};

std::atomic<int> g_signal{0};
void on_signal(int number) { g_signal = number; }

bool pause(Milliseconds time) {
  for (; time > Milliseconds(0) && g_signal == 0; time -= kPauseSlice)
    std::this_thread::sleep_for(std::min(time, kPauseSlice));
  return g_signal == 0;
}

void say(const std::string& text) { log::info(kComponent, "{}", text); }

// The machine that this runs on, and AWS.
class OnEc2 final : public Surroundings {
 public:
  OnEc2(const aws::NodeFile& node, aws::Environment environment, Self self, const Clock& clock)
      : node_(node),
        environment_(std::move(environment)),
        self_(std::move(self)),
        clock_(clock),
        credentials_({.environment = environment_, .profile = "", .clock = &clock}),
        client_({.region = node.region,
                 .profile = "",
                 .environment = environment_,
                 .clock = &clock,
                 .seed = static_cast<std::uint64_t>(::getpid()),
                 .pause = pause}),
        board_(client_, aws::Names(node.cluster)) {}

  Result<std::optional<std::string>> founder() override { return board_.founder(); }
  Result<std::optional<aws::SwarmPlace>> swarm() override { return board_.swarm(); }

  Result<aws::Offer> ask(const aws::SwarmPlace& place, const std::string& manager) override {
    HIVE_ASSIGN(const auto sts,
                aws::endpoint_of(aws::Service::kSts, node_.region, environment_, ""));
    HIVE_ASSIGN(const auto keys, credentials_.get());
    HIVE_TRY(os::make_directories("/run/hive", 0755));
    HIVE_TRY(os::write_file_atomically(kAuthorityFile, place.ca, 0644));
    net::HttpClient client(
        {.base_url = "https://" + manager + ":" + std::to_string(aws::kJoinPort),
         .tls = {.ca_file = kAuthorityFile, .required_peer_ou = "swarm-manager"}});
    net::Request request{.method = "POST", .path = aws::kJoinPath};
    request.headers.emplace("content-type", "application/json");
    request.body = to_json(aws::prove(node_.cluster, keys, sts, clock_.wall_now())).dump();
    request.deadline = kAskDeadline;
    HIVE_ASSIGN(const auto answer, client.send(request));
    const auto json = parse_json(answer.body, "the answer");
    if (answer.status != 200)
      return fail(Errc::kPermissionDenied, json ? json_string(*json, "error")
                                                : "HTTP status " + std::to_string(answer.status));
    if (!json) return fail(Errc::kCorrupt, "the manager's answer is no JSON");
    return aws::offer_from_json(*json);
  }

  Result<bool> warm() override {
    aws::Metadata metadata(aws::metadata_endpoint(environment_));
    const auto target = metadata.get("meta-data/autoscaling/target-lifecycle-state");
    if (target) return target->starts_with("Warmed:");
    if (target.error().code == Errc::kNotFound) return false;
    return tl::unexpected(target.error());
  }

  Result<std::string> own_name() override {
    HIVE_ASSIGN(const auto machines, aws::describe_instances(client_, node_.cluster));
    for (const auto& machine : machines)
      if (machine.id == self_.instance) return hostname_of(machine, aws::Names(node_.cluster));
    return fail(Errc::kNotFound, "EC2 does not list this instance yet");
  }

  Status set_hostname(const std::string& name) override {
    if (::sethostname(name.data(), name.size()) != 0)
      return tl::unexpected(os::errno_error(errno, "setting the host name to " + name));
    return os::write_file_atomically("/etc/hostname", name + "\n", 0644);
  }

 private:
  const aws::NodeFile node_;
  const aws::Environment environment_;
  const Self self_;
  const Clock& clock_;
  aws::CredentialChain credentials_;
  aws::Client client_;
  aws::Board board_;
};

Result<Self> who_am_i(const aws::Environment& environment) {
  aws::Metadata metadata(aws::metadata_endpoint(environment));
  Self out;
  HIVE_ASSIGN(out.instance, metadata.get("meta-data/instance-id"));
  HIVE_ASSIGN(out.address, metadata.get("meta-data/local-ipv4"));
  return out;
}

// An engine that runs is left alone.
Status ensure_engine(engine::Engine& engine) {
  if (engine.ping()) return {};
  HIVE_TRY(start_engine());
  (void)pause(kEngineStart);
  return {};
}

Status boot() {
  HIVE_ASSIGN(const auto text, os::read_file(aws::kNodeFile, 1 << 16));
  HIVE_ASSIGN(const auto node, aws::parse_node_file(text));
  const auto environment = aws::process_environment();
  const SystemClock clock;
  HIVE_ASSIGN(const auto self, who_am_i(environment));
  say("is " + self.instance + " at " + self.address + ", a " + node.role + " of " + node.cluster);
  // Not a manager: what it knows of the Swarm is left only by a person's word. A worker that is
  // never started again does without.
  if (const auto later = node.role == "worker" ? begin_at_later_boots() : Status(); !later)
    say("does not go on by itself at later boots: " + later.error().message);
  engine::docker::EngineOptions engine_options;
  engine_options.deadline = Milliseconds(30'000);
  HIVE_ASSIGN(const auto engine, engine::docker::connect(engine_options));
  HIVE_TRY(ensure_engine(*engine));
  OnEc2 surroundings(node, environment, self, clock);
  BootOptions options;
  options.manager = node.role == "manager";
  options.self = self;
  HIVE_TRY(become_node(*engine, surroundings, options, clock, pause, say));
  HIVE_TRY(start_daemons(options.manager));
  say("is a node of the Swarm, and its daemons run");
  return {};
}

}  // namespace

int node_boot_main(int, char**) {
  ::signal(SIGTERM, on_signal);
  ::signal(SIGINT, on_signal);
  ::signal(SIGPIPE, SIG_IGN);
  const auto done = boot();
  if (done) return 0;
  log::error(kComponent, "this machine is no node: {}", describe(done.error()));
  return 1;
}

}  // namespace hive::boot
