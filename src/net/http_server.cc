#include "net/http_server.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <thread>

#include "base/log.h"
#include "net/server/door.h"
#include "net/server/shared.h"

namespace hive::net {

namespace asio = boost::asio;

struct HttpServer::Impl {
  server::Shared shared;
  std::vector<std::unique_ptr<server::Door>> doors;
  std::vector<std::uint16_t> ports;
  std::thread thread;
  bool stopped = false;
};

HttpServer::HttpServer(ServerOptions options, Handler handler) : impl_(std::make_unique<Impl>()) {
  impl_->shared.options = options;
  impl_->shared.handler = std::move(handler);
}

HttpServer::~HttpServer() {
  try {
    stop(Milliseconds(0));
  } catch (const std::exception& thrown) {  // its thread still runs: what follows ends the process
    log::error("http server", "cannot be stopped: {}", thrown.what());
  }
}

Status HttpServer::start(const std::vector<ListenAt>& doors) {
  auto& shared = impl_->shared;
  for (const auto& at : doors) {
    HIVE_ASSIGN(auto door, server::open_door(shared, at));
    impl_->ports.push_back(door->port());
    impl_->doors.push_back(std::move(door));
  }
  if (shared.options.workers > 0)
    shared.workers = std::make_unique<asio::thread_pool>(shared.options.workers);
  for (auto& door : impl_->doors) door->accept();
  impl_->thread = std::thread([this] {
    auto guard = asio::make_work_guard(impl_->shared.io);
    impl_->shared.io.run();
  });
  return {};
}

std::uint16_t HttpServer::port(std::size_t door) const {
  return door < impl_->ports.size() ? impl_->ports[door] : 0;
}

void HttpServer::stop(Milliseconds grace) {
  if (impl_->stopped) return;
  impl_->stopped = true;
  auto& shared = impl_->shared;
  shared.stopping = true;
  if (!impl_->thread.joinable()) {
    for (auto& door : impl_->doors) door->close();
    return;
  }
  asio::post(shared.io, [this] {
    for (auto& door : impl_->doors) door->close();
    std::vector<std::shared_ptr<server::SessionBase>> alive;
    for (auto& [raw, weak] : impl_->shared.sessions)
      if (auto session = weak.lock()) alive.push_back(std::move(session));
    for (auto& session : alive) session->end_soon();
  });
  {
    std::unique_lock lock(shared.mutex);
    shared.ended.wait_for(lock, grace, [&shared] { return shared.connections == 0; });
  }
  // Workers first: what they post afterwards is destroyed with the io_context.
  if (shared.workers) shared.workers->join();
  shared.io.stop();
  impl_->thread.join();
  for (auto& [raw, weak] : shared.sessions)
    if (auto session = weak.lock()) session->detach();
}

ServerCounters HttpServer::counters() const {
  const auto& shared = impl_->shared;
  return {shared.connections, shared.streams, shared.requests,
          shared.rejected,    shared.slow,    shared.stream_bytes};
}

}  // namespace hive::net
