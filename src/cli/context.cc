#include "cli/context.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "cli/command.h"
#include "cli/printable.h"
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
    HIVE_ASSIGN(auto reached,
                reach_engine(globals, [this](const std::string& text) { note("hive: " + text); }));
    engine_ = std::move(reached.engine);
    engine_host_ = std::move(reached.host);
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
  const std::string line = printable(text) + "\n";
  std::fwrite(line.data(), 1, line.size(), err);
  std::fflush(err);
}

// Who answered so, or not at all, where the message does not say it itself.
std::string Context::whole_message(const Error& error) const {
  const bool of_engine = error.code == Errc::kCorrupt || error.code == Errc::kUnavailable ||
                         error.code == Errc::kDeadlineExceeded;
  const auto address =
      engine_host_.substr(std::min(engine_host_.size(), engine_host_.find("//") + 2));
  if (!of_engine || address.empty() || error.message.find(address) != std::string::npos)
    return error.message;
  return error.message + " (engine " + engine_host_ + ")";
}

int Context::fail(const Error& error) const {
  return fail(exit_code_of(error.code), whole_message(error));
}

int Context::fail_wait(const Error& error) const {
  if (error.code == Errc::kDeadlineExceeded) return fail(kExitNotConverged, error.message);
  if (error.code == Errc::kFailedPrecondition) return fail(kExitFailed, error.message);
  return fail(error);
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
    case Errc::kDeadlineExceeded:
    case Errc::kFailedPrecondition:
      return kExitUnreachable;
    case Errc::kCancelled:
      return kExitInterrupted;
    default:
      return kExitFailed;
  }
}

}  // namespace hive::cli
