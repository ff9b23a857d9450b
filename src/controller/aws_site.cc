#include "controller/aws_site.h"

#include <unistd.h>

#include <filesystem>

#include "base/log.h"
#include "cloud/aws/autoscaling.h"
#include "cloud/aws/cloud_port.h"
#include "cloud/aws/ec2.h"
#include "cloud/aws/ecr.h"
#include "os/file.h"
#include "os/process.h"

namespace hive::controller {
namespace {

namespace aws = cloud::aws;
namespace fs = std::filesystem;

constexpr const char* kAwsComponent = "aws";
constexpr Milliseconds kSiteTurn{5'000};
constexpr Milliseconds kDeployDeadline{900'000};
constexpr const char* kStackDirectory = "/var/lib/hive/stack";

// By this very program's own verb, which reads the files as `hive up` would have.
Status deploy_here(const aws::Stack& stack) {
  std::error_code ignored;
  fs::remove_all(kStackDirectory, ignored);
  for (const auto& [name, content] : stack.files) {
    const fs::path path = fs::path(kStackDirectory) / name;
    // Names are the operator's: none leads out of the directory.
    if (fs::path(name).is_absolute() || path.lexically_normal() != path)
      return fail(Errc::kInvalidArgument, "the stack has a file of the name " + name);
    HIVE_TRY(os::make_directories(path.parent_path(), 0700));
    HIVE_TRY(os::write_file_atomically(path, content, 0600));
  }
  os::RunOptions options;
  options.deadline = kDeployDeadline;
  HIVE_ASSIGN(const auto done,
              os::run({"/proc/self/exe", "--host", "unix:///var/run/docker.sock", "aws", "deploy",
                       "-f", std::string(kStackDirectory) + "/compose.yml"},
                      options));
  for (const auto* text : {&done.out, &done.err})
    if (!text->empty()) log::info(kAwsComponent, "{}", *text);
  if (done.exit_code == 0) return {};
  return fail(
      Errc::kFailedPrecondition,
      done.err.empty() ? "deploying ended with " + std::to_string(done.exit_code) : done.err);
}

}  // namespace

AwsSite::AwsSite(const aws::NodeFile& node, engine::Engine& engine, const Clock& clock,
                 store::History& history)
    : names_(node.cluster) {
  const auto environment = aws::process_environment();
  const aws::ClientOptions options{.region = node.region,
                                   .profile = "",
                                   .environment = environment,
                                   .clock = &clock,
                                   .seed = static_cast<std::uint64_t>(::getpid()),
                                   .pause = [this](Milliseconds time) { return pause(time); }};
  client_ = std::make_unique<aws::Client>(options);
  logins_ = std::make_unique<RegistryLogins>(engine, clock, [options](const std::string& region) {
    auto there = options;
    there.region = region;
    aws::Client client(std::move(there));
    return aws::get_authorization_token(client);
  });
  zones_ = std::make_unique<NodeZones>(
      engine, clock, names_, [this] { return aws::describe_instances(*client_, names_.cluster); });
  board_ = std::make_unique<aws::Board>(*client_, names_);
  keeper_ = std::make_unique<BoardKeeper>(*board_, engine, clock, deploy_here);
  JoinDesk::Authority authority;
  authority.confirm = [this, environment,
                       region = node.region](const aws::Proof& proof) -> Result<aws::Identity> {
    HIVE_ASSIGN(const auto sts, aws::endpoint_of(aws::Service::kSts, region, environment, ""));
    net::HttpClient client({.base_url = sts.base_url});
    return aws::confirm(proof, names_.cluster,
                        [&](const net::Request& request) { return client.send(request); });
  };
  authority.facts = [this]() -> Result<aws::Facts> {
    aws::Facts out;
    HIVE_ASSIGN(const auto self, aws::get_caller_identity(*client_));
    out.account = self.account;
    HIVE_ASSIGN(out.machines, aws::describe_instances(*client_, names_.cluster));
    HIVE_ASSIGN(auto groups, aws::describe_groups(*client_, names_.cluster));
    for (auto& group : groups)
      if (group.name == names_.worker_group) out.workers = std::move(group);
    if (out.workers && out.workers->warm_pool) {
      HIVE_ASSIGN(out.warm, aws::warm_members(*client_, out.workers->name));
    }
    return out;
  };
  authority.prepared = [this](const std::string& instance) {
    return aws::unless_over(aws::complete_lifecycle_action(*client_, names_.worker_group,
                                                           aws::kLaunchHook, instance, true));
  };
  desk_ = std::make_unique<JoinDesk>(names_, std::move(authority), engine, clock, history);
}

AwsSite::~AwsSite() { stop(); }

CloudOpener AwsSite::cloud_opener() {
  return
      [this]() -> Result<std::unique_ptr<cloud::Cloud>> { return aws::connect(*client_, names_); };
}

bool AwsSite::pause(Milliseconds time) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, time, [this] { return stopping_; });
  return !stopping_;
}

void AwsSite::start(std::function<bool()> acts) {
  acts_ = std::move(acts);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void AwsSite::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void AwsSite::run(const std::stop_token&) {
  std::string last;
  do {
    desk_->turn();
    Status done;
    if (acts_()) {
      done = keeper_->turn();
      logins_->turn();
      zones_->turn();
    } else {
      keeper_->rest();
      logins_->rest();
    }
    const std::string now = done ? "" : describe(done.error());
    if (!now.empty() && now != last) log::warn(kAwsComponent, "the notice board: {}", now);
    last = now;
  } while (pause(kSiteTurn));
}

}  // namespace hive::controller
