#include <gtest/gtest.h>

#include "config/compose.h"

namespace hive::config {
namespace {

TEST(Load, readsAFile) {
  LoadOptions options;
  options.working_dir = "/work";
  const auto loaded = load({{"hive.yml", R"(version: "3.8"
x-hive:
  name: shop
  workers: {min: 2, max: 8}
  load_balancer:
    listeners: ["80:8080", "5000:5000"]
services:
  web:
    image: shop/web:1
    ports: ["8080:8080"]
    deploy: {replicas: 3, update_config: {order: start-first}}
    x-hive:
      autoscale: {min: 2, max: 40, target: {requests_per_replica: 50, cpu: 60%}, predict: true}
      drain: {timeout: 60s, pre_stop: ["/usr/local/bin/flush.sh"]}
)"}},
                           options);
  ASSERT_TRUE(loaded) << render(loaded.error());
  EXPECT_EQ(loaded->spec.services.at("web").deploy.replicas, 3U);
}

TEST(Load, namesFaults) {
  LoadOptions options;
  options.working_dir = "/work";
  const auto loaded = load({{"hive.yml", R"(version: "3.8"
services:
  web:
    image: shop/web:1
    deploy:
      replcias: 3
    replicas: 3
    ports: [8080:80a, 80]
)"}},
                           options);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(
      render(loaded.error()),
      R"(hive.yml:6:7: unknown key "replcias" in services.web.deploy (did you mean "replicas"?)
     6 |       replcias: 3
       |       ^
hive.yml:7:5: unknown key "replicas" in services.web (it belongs in services.web.deploy)
     7 |     replicas: 3
       |     ^
hive.yml:8:13: services.web.ports[0]: "8080:80a" is not a port: the port in the container must be 1 to 65535, or a range
     8 |     ports: [8080:80a, 80]
       |             ^
)");
}

}  // namespace
}  // namespace hive::config
