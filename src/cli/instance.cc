// hive instance: the machines of the local cloud.
#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/listing.h"
#include "cli/operation_client.h"
#include "cli/reach.h"
#include "cloud/local/local.h"

namespace hive::cli {
namespace {

Result<std::unique_ptr<cloud::Cloud>> cloud_of(Context& context) {
  HIVE_ASSIGN(const auto name, pick_cluster(context.globals));
  return cloud::local::connect(name);
}

int list_instances(Context& context, const ListOptions& options) {
  const auto cloud = cloud_of(context);
  if (!cloud) return context.fail(cloud.error());
  auto instances = (*cloud)->list_instances();
  if (!instances) return context.fail(instances.error());
  std::sort(instances->begin(), instances->end(),
            [](const auto& a, const auto& b) { return a.hostname < b.hostname; });
  std::vector<Row> rows;
  for (const auto& instance : *instances) {
    const std::string state(cloud::to_string(instance.state));
    rows.push_back({instance.id,
                    {instance.id, instance.hostname, instance.role, instance.address, state},
                    {{"id", instance.id},
                     {"hostname", instance.hostname},
                     {"role", instance.role},
                     {"address", instance.address},
                     {"state", state},
                     {"launched_unix_ms", instance.launched_unix_ms},
                     {"engine_host", instance.engine_host}}});
  }
  return print_listing(context, options, {"ID", "HOSTNAME", "ROLE", "ADDRESS", "STATE"}, rows);
}

Result<cloud::Instance> find_instance(cloud::Cloud& cloud, const std::string& word) {
  HIVE_ASSIGN(const auto instances, cloud.list_instances());
  for (const auto& instance : instances) {
    if (instance.id == word || instance.hostname == word) return instance;
  }
  return fail(Errc::kNotFound,
              "there is no instance '" + word + "'; 'hive instance ls' lists them");
}

using Act = std::function<Status(cloud::Cloud&, const cloud::Instance&)>;

int act_on(Context& context, const std::vector<std::string>& words, const Act& act) {
  const auto cloud = cloud_of(context);
  if (!cloud) return context.fail(cloud.error());
  int code = kExitOk;
  for (const auto& word : words) {
    const auto instance = find_instance(**cloud, word);
    const auto done = instance ? act(**cloud, *instance) : Status(tl::unexpected(instance.error()));
    if (done) {
      context.line(word);
    } else {
      code = context.fail(done.error());
    }
  }
  return code;
}

Command verb(const char* name, const char* summary, const Act& act) {
  return {.name = name, .summary = summary, .declare = [act](Declare& declare) -> Action {
            auto words = std::make_shared<std::vector<std::string>>();
            declare.some("INSTANCE", words.get(), "Instances: id or host name",
                         ValueKind::kInstance);
            return [words, act](Context& context) { return act_on(context, *words, act); };
          }};
}

struct EndArgs {
  std::vector<std::string> instances;
  bool force = false;
  OperationWaitFlags wait;
};

// Through an operation of the controllers: the node is emptied first. Where the cluster is none of
// this machine's (a manager on AWS), they alone know the cloud.
int end_each(Context& context, OperationClient& client, const char* kind, const EndArgs& args) {
  std::unique_ptr<cloud::Cloud> cloud;
  if (context.globals.host.empty())
    if (auto local = cloud_of(context)) cloud = std::move(*local);
  return client.each(context, args.instances, args.wait, [&](const std::string& word) {
    if (!cloud) return client.begin(context, kind, {{"instance", word}}, word);
    return find_instance(*cloud, word).and_then([&](const cloud::Instance& instance) {
      return client.begin(context, kind, {{"instance", instance.id}}, instance.hostname);
    });
  });
}

int end_instances(Context& context, const char* kind, const EndArgs& args, const Act& plainly) {
  if (args.force) return act_on(context, args.instances, plainly);
  auto client = OperationClient::reach(context);
  if (client) return end_each(context, *client, kind, args);
  context.note("hive: " + client.error().message + ": its tasks are not moved first");
  return act_on(context, args.instances, plainly);
}

Command ending_verb(const char* name, const char* summary, const char* kind, const Act& plainly) {
  return {.name = name, .summary = summary, .declare = [kind, plainly](Declare& declare) -> Action {
            auto args = std::make_shared<EndArgs>();
            declare.flag("-f,--force", &args->force, "Do not move its tasks first");
            declare_operation_wait(declare, args->wait);
            declare.some("INSTANCE", &args->instances, "Instances: id or host name",
                         ValueKind::kInstance);
            return [kind, args, plainly](Context& context) {
              return end_instances(context, kind, *args, plainly);
            };
          }};
}

Command console_command() {
  return {.name = "console",
          .summary = "What an instance printed on its console",
          .declare = [](Declare& declare) -> Action {
            auto words = std::make_shared<std::vector<std::string>>();
            declare.one("INSTANCE", words.get(), "Instance", ValueKind::kInstance);
            return [words](Context& context) {
              const auto cloud = cloud_of(context);
              if (!cloud) return context.fail(cloud.error());
              const auto text =
                  find_instance(**cloud, words->front()).and_then([&](const auto& instance) {
                    return (*cloud)->console_output(instance.id, 64U << 10);
                  });
              if (!text) return context.fail(text.error());
              context.print(*text);
              return kExitOk;
            };
          }};
}

}  // namespace

Command instance_command() {
  Command ls{.name = "ls",
             .summary = "List the instances",
             .declare = [](Declare& declare) -> Action {
               auto options = std::make_shared<ListOptions>();
               declare_list(declare, *options, false);
               return [options](Context& context) { return list_instances(context, *options); };
             },
             .aliases = {"list"}};
  return {
      .name = "instance",
      .summary = "The machines of the local cloud",
      .children = {
          std::move(ls),
          verb("start", "Start stopped instances",
               [](cloud::Cloud& c, const cloud::Instance& i) { return c.start(i.id); }),
          ending_verb("stop", "Move the tasks of instances away and stop them; their disks stay",
                      "instance_stop",
                      [](cloud::Cloud& c, const cloud::Instance& i) { return c.stop(i.id); }),
          ending_verb("terminate",
                      "Move the tasks of instances away, take them out of the Swarm, and end them",
                      "instance_terminate",
                      [](cloud::Cloud& c, const cloud::Instance& i) { return c.terminate(i.id); }),
          verb("kill", "Cut the power of instances",
               [](cloud::Cloud& c, const cloud::Instance& i) { return c.power_off(i.id); }),
          console_command()}};
}

}  // namespace hive::cli
