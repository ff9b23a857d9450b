// For tests and for looking: deploys Compose files as hive does, or prints what would be sent.
//   stack_tool convert STACK FILE...             docker's own specs as JSON, no engine needed
//   stack_tool plan    HOST STACK FILE...        what is to be done
//   stack_tool deploy  HOST STACK FILE...        does it, does not wait, resolves no image
//   stack_tool rm      HOST STACK
// HIVE_NO_IP_VS=1: the kernel is taken to have no IP_VS.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "config/compose.h"
#include "engine/docker/client.h"
#include "stack/deploy.h"

extern "C" char** environ;  // NOLINT(readability-redundant-declaration)

namespace {

using namespace hive;

int report(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  return 1;
}

config::StringMap environment() {
  config::StringMap result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string::npos) result[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return result;
}

Result<config::Spec> load(const std::vector<std::string>& files) {
  auto loaded = config::load_paths(files, environment());
  if (!loaded) return tl::unexpected(config::to_error(loaded.error()));
  return std::move(loaded->spec);
}

int convert(const std::string& stack, const std::vector<std::string>& files) {
  const auto spec = load(files);
  if (!spec) return report(spec.error());
  const auto converted = stack::convert(*spec, {stack, {}});
  if (!converted) return report(converted.error());
  Json out = Json::object();
  const auto put = [&](const char* kind, const std::vector<stack::Object>& objects) {
    out[kind] = Json::object();
    for (const auto& object : objects) out[kind][object.name] = object.spec;
  };
  put("networks", converted->networks);
  put("secrets", converted->secrets);
  put("configs", converted->configs);
  put("services", converted->services);
  std::printf("%s\n", out.dump(2).c_str());
  return 0;
}

int deploy(engine::Engine& engine, const std::string& stack, const std::vector<std::string>& files,
           bool dry_run) {
  const auto spec = load(files);
  if (!spec) return report(spec.error());
  stack::DeployOptions options;
  options.stack = stack;
  options.resolve_image = stack::ResolveImage::kNever;
  options.traits.ip_vs = std::getenv("HIVE_NO_IP_VS") == nullptr;
  const auto plan = stack::make_plan(engine, *spec, options);
  if (!plan) return report(plan.error());
  std::printf("%s", stack::render(*plan).c_str());
  for (const auto& applied : plan->differences) {
    std::printf("difference  %s  %s  %s\n", applied.service.c_str(),
                std::string(applied.name).c_str(), applied.detail.c_str());
  }
  if (plan->changes_nothing()) std::printf("changes nothing\n");
  if (dry_run) return 0;
  const auto outcome = stack::apply(engine, *plan);
  return outcome ? 0 : report(outcome.error());
}

int run(const std::vector<std::string>& args) {
  const std::string verb = args.empty() ? "" : args[0];
  if (verb == "convert" && args.size() >= 3) {
    return convert(args[1], {args.begin() + 2, args.end()});
  }
  const bool known = (verb == "plan" || verb == "deploy") && args.size() >= 4;
  if (!known && !(verb == "rm" && args.size() == 3)) {
    std::fprintf(stderr, "usage: stack_tool convert|plan|deploy|rm ...\n");
    return 2;
  }
  engine::docker::EngineOptions options;
  options.host = args[1];
  auto engine = engine::docker::connect(options);
  if (!engine) return report(engine.error());
  if (verb != "rm") {
    return deploy(**engine, args[2], {args.begin() + 3, args.end()}, verb == "plan");
  }
  const auto removed = stack::remove_stack(**engine, args[2]);
  return removed ? 0 : report(removed.error());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& thrown) {
    std::fprintf(stderr, "%s\n", thrown.what());
    return 1;
  }
}
