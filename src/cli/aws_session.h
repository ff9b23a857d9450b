// One command's dealings with AWS: the account's client, and what the Compose file asks of it.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "cloud/aws/account.h"
#include "cloud/aws/client.h"
#include "cloud/aws/desired.h"
#include "cloud/aws/world.h"
#include "config/compose.h"

namespace hive::cli {

class Context;

class AwsSession {
 public:
  // Both outlive it.
  AwsSession(Context& context, const config::Spec& spec) : context_(context), spec_(spec) {}

  // Before all else. kUnauthenticated and what else credentials may lack.
  Status open();

  Result<cloud::aws::Desired> desired();
  Result<cloud::aws::World> world();
  cloud::aws::Client& client() { return *client_; }
  const cloud::aws::Settings& settings() const { return settings_; }
  std::string where() const { return "account " + identity_.account + ", " + client_->region(); }

 private:
  Context& context_;
  const config::Spec& spec_;
  std::unique_ptr<cloud::aws::Client> client_;
  cloud::aws::Settings settings_;
  cloud::aws::Identity identity_;
};

}  // namespace hive::cli
