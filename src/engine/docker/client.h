// The Engine port over HTTP: a unix socket, TCP, or TCP with mutual TLS.
#pragma once

#include <memory>
#include <string>

#include "engine/engine.h"
#include "net/http_client.h"

namespace hive::engine::docker {

struct EngineOptions {
  // "unix:///run/docker.sock", "tcp://10.0.0.1:2376", "https://..." (TLS when `tls` is filled).
  std::string host = "unix:///var/run/docker.sock";
  net::TlsOptions tls;
  Milliseconds deadline{10'000};         // ordinary calls
  Milliseconds image_deadline{900'000};  // pull, push, load, build
  std::string api_version;               // pinned; empty = negotiated once, on first use
};

// Makes no call yet. kInvalidArgument when `host` is not understood.
Result<std::unique_ptr<Engine>> connect(const EngineOptions& options);

}  // namespace hive::engine::docker
