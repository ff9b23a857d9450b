#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "edge/haproxy/config.h"
#include "edge/haproxy/listeners.h"

namespace hive::edge::haproxy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

model::Backend backend(const std::string& name) {
  model::Backend out;
  out.name = name;
  out.endpoints = {{"t-" + name, "s", "n1", name + ".1", "10.0.0.1", 80, true}};
  return out;
}

model::RoutingTable table() {
  model::RoutingTable out;
  out.listeners = {{8080, "http", "", false}, {8443, "http", "/c.pem", true}};
  out.routes = {{8080, "", "", "web"}, {8080, "a.test", "/x", "api"}, {8443, "", "", "web"}};
  out.backends = {backend("web"), backend("api")};
  return out;
}

TEST(DropFaults, NothingOfATableThatIsWell) {
  model::RoutingTable kept = table();
  EXPECT_THAT(drop_faults(kept, {}), IsEmpty());
  EXPECT_EQ(kept, table());
}

TEST(DropFaults, AServiceThatCannotBeWrittenTakesItsRoutesAlong) {
  model::RoutingTable kept = table();
  kept.backends[1].probe_path = "/a b";
  EXPECT_THAT(drop_faults(kept, {}),
              ElementsAre(HasSubstr("service api: the probe path"), HasSubstr("route to api")));
  ASSERT_EQ(kept.backends.size(), 1U);
  EXPECT_EQ(kept.routes.size(), 2U);
  EXPECT_THAT(render_config(kept, {}, {}), Not(HasSubstr("b.api")));
}

TEST(DropFaults, OneTaskOfMany) {
  model::RoutingTable kept = table();
  kept.backends[0].endpoints.push_back({"t9", "s", "n1", "web.9", "no-address", 80, true});
  EXPECT_THAT(drop_faults(kept, {}), ElementsAre(HasSubstr("task t9 has address \"no-address\"")));
  EXPECT_EQ(kept.backends[0].endpoints, table().backends[0].endpoints);
}

TEST(DropFaults, AListenerAtTheHealthPortOrWithAnOddPath) {
  model::RoutingTable kept = table();
  kept.listeners.push_back({7080, "http", "", false});
  kept.listeners[1].certificate_pem = "/it's.pem";
  EXPECT_THAT(drop_faults(kept, {}),
              ElementsAre(HasSubstr("listener 8443: the certificate's path"),
                          HasSubstr("listener 7080: that is the edge's own health port")));
  EXPECT_THAT(kept.listeners, ElementsAre(table().listeners[0]));
}

TEST(DropFaults, RoutesThatMeanSomethingElse) {
  model::RoutingTable kept = table();
  kept.backends[1].mode = "tcp";
  kept.routes.push_back({8080, "a*.test", "", "web"});
  kept.routes.push_back({8080, "", "x", "web"});
  EXPECT_THAT(drop_faults(kept, {}),
              ElementsAre(HasSubstr("the service is tcp and listener 8080 is http"),
                          HasSubstr("'*' may stand for the first label only"),
                          HasSubstr("must begin with '/'")));
  EXPECT_THAT(kept.routes, ElementsAre(table().routes[0], table().routes[2]));
}

TEST(RenderConfig, ItsPortsAreFoundInItAgain) {
  EXPECT_THAT(listener_ports(render_config(table(), {}, {})), ElementsAre(8080, 8443));
  EXPECT_THAT(listener_ports(""), IsEmpty());
}

}  // namespace
}  // namespace hive::edge::haproxy
