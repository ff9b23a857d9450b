#include "cloud/aws/image_bake.h"

#include <algorithm>

#include "base/text.h"
#include "cloud/aws/names.h"
#include "cloud/aws/user_data.h"

namespace hive::cloud::aws {
namespace {

constexpr Milliseconds kLook{5'000};
constexpr std::size_t kConsoleLines = 15;

class Baker {
 public:
  Baker(Client& client, const BakeRequest& request) : client_(client), request_(request) {
    token_ =
        request.name + "-" + std::to_string(client.clock().wall_now().time_since_epoch().count());
    if (token_.size() > kTokenLength) token_.erase(0, token_.size() - kTokenLength);
  }

  Result<std::string> run() {
    auto out = steps();
    if (out || out.error().code == Errc::kCancelled) return out;
    const std::string machine = machines_.empty() ? "" : machines_.front();
    if (const auto said = machine.empty() ? "" : console(machine); !said.empty())
      out.error().message += ". It printed last:\n" + said;
    if (!machine.empty() && request_.keep_machine)
      out.error().message += "\nmachine " + machine + " is kept; 'hive down' ends it";
    else if (!machines_.empty())
      (void)terminate_instances(client_, machines_);
    return out;
  }

 private:
  using Kind = BakeStep::Kind;

  static constexpr std::size_t kTokenLength = 64;

  Result<std::string> steps() {
    Kind last = Kind::kDone;
    auto since = client_.clock().now();
    for (;;) {
      HIVE_ASSIGN(const auto look, look_now());
      HIVE_ASSIGN(const auto step, next_bake_step(look));
      if (step.kind != last) since = client_.clock().now();
      if (client_.clock().now() - since > request_.deadline)
        return fail(Errc::kDeadlineExceeded,
                    (step.kind == Kind::kWaitForImage ? "image " : "machine ") + step.subject +
                        " was not done in " + format_duration(request_.deadline));
      const bool first = step.kind != last;
      last = step.kind;
      HIVE_TRY(act(step, first));
      if (step.kind == Kind::kDone) return step.subject;
      if (!client_.pause(kLook))
        return fail(Errc::kCancelled,
                    "interrupted; run it again to go on, or 'hive down' to end "
                    "the machine");
    }
  }

  Result<BakeLook> look_now() {
    BakeLook out;
    out.launched = launched_;
    HIVE_ASSIGN(out.images, describe_own_images(client_, request_.name));
    HIVE_ASSIGN(const auto all, describe_instances(client_, request_.cluster));
    machines_.clear();
    for (const auto& one : all) {
      const auto name = one.tags.find(kImageNameTag);
      if (name == one.tags.end() || name->second != request_.name || is_ending(one)) continue;
      out.machines.push_back(one);
      machines_.push_back(one.id);
    }
    // It is not seen at once.
    if (out.machines.empty() && launched_ && !seen_ && ++unseen_ < kUnseenLooks)
      out.machines.push_back({.id = launched_id_});
    seen_ = seen_ || !machines_.empty();
    return out;
  }

  Status act(const BakeStep& step, bool first) {
    switch (step.kind) {
      case Kind::kLaunch:
        return launch();
      case Kind::kWaitForMachine:
        if (first) request_.did("waits for machine " + step.subject + " to install and power off");
        return ++looks_ % kLooksAConsole != 0 ? Status() : still_tries(step.subject);
      case Kind::kMakeImage: {
        const auto made = create_image(client_, step.subject, request_.name,
                                       "hive on " + request_.base.name, tags(false));
        if (made) request_.did("makes image " + *made + " of machine " + step.subject);
        // Another run was first, or this one's is not seen yet.
        if (made || made.error().code == Errc::kAlreadyExists) return {};
        return tl::unexpected(made.error());
      }
      case Kind::kWaitForImage:
        if (first) request_.did("waits for image " + step.subject);
        return {};
      case Kind::kEndMachines:
        HIVE_TRY(terminate_instances(client_, machines_));
        request_.did("ended machine " + join(machines_, ", "));
        return {};
      case Kind::kDone:
        return {};
    }
    return {};
  }

  // What its user data says once it has given up (user_data.cc); AWS shows it some minutes late.
  Status still_tries(const std::string& machine) {
    const auto said = console_output(client_, machine);
    if (said && said->find("hive boot: gave up") != std::string::npos)
      return fail(Errc::kFailedPrecondition, "machine " + machine + " gave up");
    return {};
  }

  // In the first zone that has capacity.
  Status launch() {
    const LaunchSpec spec{.image = request_.base.id,
                          .type = request_.type,
                          .user_data = bake_user_data(request_.package, request_.package_sha256),
                          .root_device = request_.base.root_device,
                          .tags = tags(true)};
    Error last{Errc::kFailedPrecondition, "there is no subnet to put the machine into", {}};
    for (const auto& subnet : request_.subnets) {
      auto made = run_instance(client_, spec, subnet.id, token_);
      if (made) {
        launched_ = true;
        launched_id_ = made->id;
        request_.did("launched machine " + made->id + " from " + request_.base.name + " in " +
                     subnet.zone);
        return {};
      }
      last = std::move(made).error();
      if (last.code != Errc::kResourceExhausted) break;
    }
    return tl::unexpected(std::move(last));
  }

  Tags tags(bool machine) const {
    Tags out{{kClusterTag, request_.cluster}, {kRoleTag, kImageRole}, {"Name", request_.name}};
    if (machine) out[kImageNameTag] = request_.name;
    return out;
  }

  std::string console(const std::string& machine) {
    const auto said = console_output(client_, machine);
    if (!said) return {};
    auto lines = split(*said, '\n');
    while (!lines.empty() && trim(lines.back()).empty()) lines.pop_back();
    if (lines.size() > kConsoleLines)
      lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kConsoleLines));
    return join(lines, "\n");
  }

  static constexpr int kUnseenLooks = 24;  // two minutes
  static constexpr int kLooksAConsole = 6;

  Client& client_;
  const BakeRequest& request_;
  std::string token_;
  std::vector<std::string> machines_;  // as last seen
  bool launched_ = false;
  std::string launched_id_;
  bool seen_ = false;
  int unseen_ = 0;
  int looks_ = 0;  // at a machine that works
};

}  // namespace

Result<BakeStep> next_bake_step(const BakeLook& look) {
  using Kind = BakeStep::Kind;
  if (!look.images.empty()) {
    const Image& image = look.images.front();  // an account has one of a name
    if (image.state == ImageState::kFailed)
      return fail(Errc::kFailedPrecondition,
                  "AWS could not make image " + image.id + " (" + image.problem +
                      "): remove it (aws ec2 deregister-image --image-id " + image.id +
                      ") and run it again");
    if (image.state == ImageState::kPending) return BakeStep{Kind::kWaitForImage, image.id};
    if (!look.machines.empty()) return BakeStep{Kind::kEndMachines, look.machines.front().id};
    return BakeStep{Kind::kDone, image.id};
  }
  const auto stopped =
      std::find_if(look.machines.begin(), look.machines.end(),
                   [](const Machine& one) { return one.state == MachineState::kStopped; });
  if (stopped != look.machines.end()) return BakeStep{Kind::kMakeImage, stopped->id};
  if (!look.machines.empty()) return BakeStep{Kind::kWaitForMachine, look.machines.front().id};
  if (!look.launched) return BakeStep{Kind::kLaunch, ""};
  return fail(Errc::kFailedPrecondition, "the machine was ended before its image was made");
}

Result<std::string> bake_image(Client& client, const BakeRequest& request) {
  return Baker(client, request).run();
}

}  // namespace hive::cloud::aws
