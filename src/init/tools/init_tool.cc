// For tests and for looking: what the agent can ask of a container's PID 1.
//   init_tool identify PID                     hive-init, or what runs instead
//   init_tool state    PID
//   init_tool arm      PID SIGNAL [TIMEOUT_MS]
//   init_tool disarm   PID
//   init_tool claim    PID DEADLINE_MS
//   init_tool stop     PID [SIGNAL]            without one: the signal that is held
//   init_tool stop-without-signal PID
//   init_tool release  PID GRACE_MS
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "init/client.h"

namespace {

using namespace hive;

int report(const Status& status) {
  if (status) return 0;
  std::fprintf(stderr, "%s\n", describe(status.error()).c_str());
  return 1;
}

int print(const Result<std::string>& text) {
  if (!text) return report(tl::unexpected(text.error()));
  std::printf("%s\n", text->c_str());
  return 0;
}

Status command(const init::Init& init, std::string_view verb, int argc, char** argv) {
  const auto number = [&](int at, int otherwise) {
    return at < argc ? std::atoi(argv[at]) : otherwise;
  };
  if (verb == "arm") return init.arm(number(0, 0), Milliseconds(number(1, 8'000)));
  if (verb == "disarm") return init.disarm();
  if (verb == "claim") return init.claim(Milliseconds(number(0, 0)));
  if (verb == "stop") return init.stop(number(0, 0));
  if (verb == "stop-without-signal") return init.stop_without_signal();
  if (verb == "release") return init.release(Milliseconds(number(0, 0)));
  return fail(Errc::kInvalidArgument, "no such command: " + std::string(verb));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string_view verb = argv[1];
  const pid_t pid = std::atoi(argv[2]);
  if (verb == "identify")
    return print(init::identify(pid).map([](const init::Program& one) { return one.name; }));
  const auto opened = init::Init::open(pid);
  if (!opened) return report(tl::unexpected(opened.error()));
  if (verb == "state")
    return print(
        opened->state().map([](init::State state) { return std::string(init::to_string(state)); }));
  return report(command(*opened, verb, argc - 3, argv + 3));
}
