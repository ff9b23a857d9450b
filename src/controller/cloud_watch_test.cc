#include "controller/cloud_watch.h"

#include <gtest/gtest.h>

namespace hive::controller {
namespace {

TEST(BalancerJson, IsUnknownWithoutALookOrABalancer) {
  const Json unknown{{"known", false}};
  EXPECT_EQ(balancer_json(std::nullopt), unknown);
  EXPECT_EQ(balancer_json(CloudLook{}), unknown);
}

TEST(BalancerJson, NamesItsTargetsByTheirHosts) {
  CloudLook look;
  look.has_balancer = true;
  look.instances = {{.id = "i-1", .hostname = "shop-worker-1"}};
  look.balancer.address = "hive-shop.example.org";
  look.balancer.spec.listeners = {{.port = 80, .instance_port = 8080, .mode = "http"}};
  look.balancer.targets = {{"i-1", cloud::TargetHealth::kInService, 3, ""},
                           {"i-2", cloud::TargetHealth::kDraining, 0, "it leaves"}};
  const Json out = balancer_json(look);
  EXPECT_EQ(out["known"], true);
  EXPECT_EQ(out["address"], "hive-shop.example.org");
  EXPECT_EQ(out["listeners"],
            (Json::array(
                {{{"port", 80}, {"instance_port", 8080}, {"mode", "http"}, {"certificate", ""}}})));
  EXPECT_EQ(out["targets"][0], (Json{{"instance", "i-1"},
                                     {"hostname", "shop-worker-1"},
                                     {"health", "in-service"},
                                     {"open_connections", 3},
                                     {"reason", ""}}));
  // One that the cloud does not list any more.
  EXPECT_EQ(out["targets"][1]["hostname"], "i-2");
  EXPECT_EQ(out["targets"][1]["health"], "draining");
}

}  // namespace
}  // namespace hive::controller
