// What a command works with: where to print, and the cluster that it talks to.
#pragma once

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace hive::engine {
class Engine;
}

namespace hive::cli {

struct Globals {
  std::string host;     // --host, HIVE_HOST
  std::string cluster;  // --cluster, HIVE_CLUSTER
};

// One invocation. Owned by main(); one thread.
class Context {
 public:
  Context();
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  Globals globals;
  std::FILE* out = stdout;
  std::FILE* err = stderr;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  SystemClock clock;

  // The engine of a live manager, chosen as docs/commands.md says: --host; else a manager of the
  // local cluster (--cluster, the Compose file here, the only one there is); else this machine's
  // engine. Connected once. kUnavailable when nobody answers.
  Result<engine::Engine*> engine();

  // Of the engine that engine() connected to; empty before.
  const std::string& engine_host() const { return engine_host_; }

  void print(const std::string& text) const;  // to out, as is
  void line(const std::string& text) const;   // to out, with a newline
  void note(const std::string& text) const;   // to err, with a newline
  // "hive: ..." to err; returns the exit code that fits.
  int fail(const Error& error) const;
  // The same of a wait for services: out of time is kExitNotConverged, an update that gave up
  // kExitFailed.
  int fail_wait(const Error& error) const;
  int fail(int exit_code, const std::string& message) const;

 private:
  std::string whole_message(const Error& error) const;

  std::unique_ptr<engine::Engine> engine_;
  std::string engine_host_;
};

int exit_code_of(Errc code);

}  // namespace hive::cli
