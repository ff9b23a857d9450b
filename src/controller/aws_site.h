// What a manager on AWS does besides: gives machines that are the cluster's a join token (every
// manager), and, where it acts for the Swarm, keeps the notice board (cloud/aws/board.h): where the
// Swarm is, how it is, and deploys the stack that the operator put there; renews the logins of
// services whose images are in ECR; and labels nodes with their zones. Works in threads of its own.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "cloud/aws/board.h"
#include "cloud/aws/client.h"
#include "cloud/aws/user_data.h"
#include "controller/cloud_watch.h"
#include "controller/join_desk.h"
#include "controller/node_zones.h"
#include "controller/registry_logins.h"

namespace hive::controller {

// The board's keeper: what is to be written or begun, from what is there. No thread of its own.
class BoardKeeper {
 public:
  // Deploys a stack and says how it went; called by one thread at a time, may take minutes.
  using Deploy = std::function<Status(const cloud::aws::Stack&)>;
  BoardKeeper(cloud::aws::Board& board, engine::Engine& engine, const Clock& clock, Deploy deploy);
  ~BoardKeeper();

  // One look, while this manager acts for the Swarm: writes what has changed, and begins to deploy
  // a stack that is new. A stack whose deployment was cut short by a manager's death is begun
  // again.
  Status turn();
  // This manager does not act any more: what it knew may be old when it does again.
  void rest();
  // Waits for a deployment under way. For tests and at the end.
  void finish();

 private:
  Status publish_place();
  Status begin_deploying();
  Status publish_status();

  cloud::aws::Board& board_;
  engine::Engine& engine_;
  const Clock& clock_;
  const Deploy deploy_;
  bool knows_ = false;  // the board was read since this manager acts
  std::optional<cloud::aws::SwarmPlace> place_;
  std::optional<cloud::aws::ClusterStatus> written_;
  MonotonicTime written_at_{};
  std::jthread deployer_;
  std::mutex mutex_;  // guards what follows
  bool deploying_ = false;
  cloud::aws::ClusterStatus status_;  // its part about the stack
};

class AwsSite {
 public:
  // All outlive it.
  AwsSite(const cloud::aws::NodeFile& node, engine::Engine& engine, const Clock& clock,
          store::History& history);
  ~AwsSite();
  CloudOpener cloud_opener();
  // The login that an image is fetched with (RegistryLogins::login_of()). From any thread.
  std::optional<engine::RegistryAuth> login_of(const std::string& image) const {
    return logins_->login_of(image);
  }
  net::ServerResponse answer(const net::ServerRequest& request) { return desk_->answer(request); }
  void start(std::function<bool()> acts);
  void stop();

 private:
  void run(const std::stop_token& stop);
  bool pause(Milliseconds time);

  const cloud::aws::Names names_;
  std::function<bool()> acts_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool stopping_ = false;
  std::unique_ptr<cloud::aws::Client> client_;
  std::unique_ptr<cloud::aws::Board> board_;
  std::unique_ptr<JoinDesk> desk_;
  std::unique_ptr<BoardKeeper> keeper_;
  std::unique_ptr<RegistryLogins> logins_;
  std::unique_ptr<NodeZones> zones_;
  std::jthread thread_;
};

}  // namespace hive::controller
