#include "cli/context.h"

#include <unistd.h>

#include <cstdlib>

#include "cli/command.h"
#include "cli/reach.h"
#include "engine/engine.h"

namespace hive::cli {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

Context::Context() {
  globals.host = environment("HIVE_HOST");
  globals.cluster = environment("HIVE_CLUSTER");
  out_is_terminal = isatty(STDOUT_FILENO) == 1;
  err_is_terminal = isatty(STDERR_FILENO) == 1;
}

Context::~Context() = default;

Result<engine::Engine*> Context::engine() {
  if (!engine_) {
    HIVE_ASSIGN(engine_, reach_engine(globals));
  }
  return engine_.get();
}

void Context::print(const std::string& text) const {
  std::fwrite(text.data(), 1, text.size(), out);
  std::fflush(out);
}

void Context::line(const std::string& text) const { print(text + "\n"); }

void Context::note(const std::string& text) const {
  std::fflush(out);
  const std::string line = text + "\n";
  std::fwrite(line.data(), 1, line.size(), err);
  std::fflush(err);
}

int Context::fail(const Error& error) const {
  return fail(exit_code_of(error.code), error.message);
}

int Context::fail(int exit_code, const std::string& message) const {
  note("hive: " + message);
  return exit_code;
}

int exit_code_of(Errc code) {
  switch (code) {
    case Errc::kInvalidArgument:
      return kExitUsage;
    case Errc::kNotFound:
      return kExitNotFound;
    case Errc::kUnavailable:
    case Errc::kFailedPrecondition:
      return kExitUnreachable;
    case Errc::kDeadlineExceeded:
      return kExitNotConverged;
    case Errc::kCancelled:
      return kExitInterrupted;
    default:
      return kExitFailed;
  }
}

}  // namespace hive::cli
