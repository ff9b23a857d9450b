// x-hive.aws.
#include <gmock/gmock.h>

#include "config/test_support.h"

namespace hive::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string file(const std::string& aws, const std::string& more = "") {
  return "version: '3.8'\nx-hive:\n  name: shop\n  cloud: aws\n" + more + "  aws: {" + aws +
         "}\nservices: {web: {image: a}}\n";
}

std::string aws_faults(const std::string& aws, const std::string& more = "") {
  std::string out;
  for (const auto& fault : faults_of(file(aws, more))) out += fault + "\n";
  return out;
}

TEST(Aws, HasItsDefaults) {
  const auto aws = load_text(file("")).spec.cluster.aws;
  EXPECT_EQ(aws, Aws());
  EXPECT_EQ(aws.manager_type, "t3.medium");
}

TEST(Aws, TakesEverySetting) {
  const auto aws =
      load_text(file("region: eu-central-1, profile: prod, vpc: main, subnets: [a, b], "
                     "image: ami-12345678, image_owner: self, manager_type: t3.large, "
                     "worker_types: [c5.large, c5a.large], spot: 50%, disk: 100G, internal: true, "
                     "sources: [10.0.0.0/8], draining: 90s, "
                     "repositories: [shop/web], prices: {c5.large: 0.097}"))
          .spec.cluster.aws;
  EXPECT_EQ(aws.region, "eu-central-1");
  EXPECT_EQ(aws.profile, "prod");
  EXPECT_EQ(aws.vpc, "main");
  EXPECT_EQ(aws.subnets, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(aws.image, "ami-12345678");
  EXPECT_EQ(aws.image_owner, "self");
  EXPECT_EQ(aws.manager_type, "t3.large");
  EXPECT_EQ(aws.worker_types, (std::vector<std::string>{"c5.large", "c5a.large"}));
  EXPECT_EQ(aws.spot_percent, 50U);
  EXPECT_EQ(aws.disk_gib, 100);
  EXPECT_TRUE(aws.internal);
  EXPECT_EQ(aws.sources, std::vector<std::string>{"10.0.0.0/8"});
  EXPECT_EQ(aws.draining_s, 90U);
  EXPECT_EQ(aws.repositories, std::vector<std::string>{"shop/web"});
  EXPECT_DOUBLE_EQ(aws.prices.at("c5.large"), 0.097);
}

TEST(Aws, ServicesAreSpreadOverZones) {
  const auto spread = [](const std::string& deploy) {
    const auto text =
        "version: '3.8'\nx-hive: {name: shop, cloud: aws}\n"
        "services: {web: {image: a, deploy: {" +
        deploy + "}}}\n";
    const auto spec = load_text(text).spec;
    const auto& placement = spec.services.at("web").deploy.placement;
    const auto again = load_text(render_yaml(spec)).spec.services.at("web").deploy.placement;
    EXPECT_EQ(again, placement) << render_yaml(spec);
    return placement.spread;
  };
  EXPECT_THAT(spread("replicas: 2"), ElementsAre("node.labels.hive.zone"));
  EXPECT_THAT(spread("placement: {constraints: [node.role==worker]}"),
              ElementsAre("node.labels.hive.zone"));
  EXPECT_THAT(spread("placement: {preferences: [{spread: node.labels.rack}]}"),
              ElementsAre("node.labels.rack"));
  EXPECT_THAT(spread("placement: {preferences: []}"), IsEmpty());
  EXPECT_THAT(spread("mode: global"), IsEmpty());
  const auto local =
      load_text("version: '3.8'\nx-hive: {name: shop}\nservices: {web: {image: a}}\n");
  EXPECT_THAT(local.spec.services.at("web").deploy.placement.spread, IsEmpty());
}

TEST(Aws, TheWarmPoolHasASizeAndAState) {
  EXPECT_EQ(load_text(file("")).spec.cluster.aws.warm_workers, 0U);
  const auto pool = [](const std::string& text) {
    return load_text(file("warm_pool: {" + text + "}")).spec.cluster.aws;
  };
  EXPECT_EQ(pool("").warm_workers, 1U);
  EXPECT_EQ(pool("size: 4").warm_workers, 4U);
  EXPECT_FALSE(pool("size: 4, state: stopped").warm_running);
  EXPECT_TRUE(pool("state: running").warm_running);
  EXPECT_THAT(aws_faults("warm_pool: {size: 0}"), HasSubstr("size is 0: it must be 1 to 100"));
  EXPECT_THAT(aws_faults("warm_pool: {size: 101}"), HasSubstr("must be 1 to 100"));
  EXPECT_THAT(aws_faults("warm_pool: {state: hibernated}"),
              HasSubstr("must be stopped or running"));
  EXPECT_THAT(aws_faults("warm_pool: {size: 2}, spot: 10%"), HasSubstr("no Spot instance waits"));
}

TEST(Aws, ThePackageComesWithItsHash) {
  const std::string hash(64, 'a');
  const auto aws = load_text(file("package: 'https://example.org/hive.deb#sha256=" + hash + "'"))
                       .spec.cluster.aws;
  EXPECT_EQ(aws.package, "https://example.org/hive.deb");
  EXPECT_EQ(aws.package_sha256, hash);
  for (const std::string& bad :
       {"http://example.org/hive.deb#sha256=" + hash, std::string("https://example.org/hive.deb"),
        "https://example.org/a b#sha256=" + hash, "https://example.org/x#sha256=" + hash + "0",
        "https://example.org/x#sha256=" + std::string(64, 'g')})
    EXPECT_THAT(aws_faults("package: '" + bad + "'"), HasSubstr("with its SHA-256")) << bad;
}

TEST(Aws, SaysWhatCannotBe) {
  EXPECT_THAT(aws_faults("region: 'EU West'"), HasSubstr("it is not an AWS region"));
  EXPECT_THAT(aws_faults("manager_type: big"), HasSubstr("it is not an instance type"));
  EXPECT_THAT(aws_faults("worker_types: []"), HasSubstr("worker_types is empty"));
  EXPECT_THAT(aws_faults("worker_types: [m5]"), HasSubstr("\"m5\" is not an instance type"));
  EXPECT_THAT(aws_faults("spot: 101%"), HasSubstr("0% to 100%"));
  EXPECT_THAT(aws_faults("spot: lots"), HasSubstr("0% to 100%"));
  EXPECT_THAT(aws_faults("disk: 1G"), HasSubstr("8G to 16384G"));
  EXPECT_THAT(aws_faults("draining: 2h"), HasSubstr("1s to 1h"));
  EXPECT_THAT(aws_faults("sources: [10.0.0.300/8]"), HasSubstr("is not an IPv4 network"));
  EXPECT_THAT(aws_faults("repositories: [Shop]"), HasSubstr("ECR repository"));
  EXPECT_THAT(aws_faults("prices: {m5: 1}"), HasSubstr("not an instance type"));
  EXPECT_THAT(aws_faults("prices: {m5.large: -1}"), HasSubstr("0 or more"));
  EXPECT_THAT(aws_faults("regoin: x"), HasSubstr("did you mean \"region\""));
  EXPECT_THAT(aws_faults("", "  load_balancer: {listeners: [{port: 443, certificate: a.pem}]}\n"),
              HasSubstr("from ACM"));
  EXPECT_THAT(aws_faults("", "  load_balancer: {listeners: [{port: 80, proxy: true}]}\n"),
              HasSubstr("does not support yet"));
}

TEST(Balancer, IsClassicUnlessAskedFor) {
  EXPECT_EQ(load_text(file("")).spec.cluster.balancer_type, "classic");
  const std::string one =
      "  load_balancer: {type: network, listeners: [{port: 1, mode: tcp}, 80]}\n";
  EXPECT_EQ(load_text(file("", one)).spec.cluster.balancer_type, "network");
  EXPECT_THAT(
      aws_faults("", "  load_balancer: {type: clasic}\n"),
      HasSubstr("it must be classic or network or application (did you mean \"classic\"?)"));
  EXPECT_THAT(warnings_of("version: '3.8'\nx-hive: {name: shop, load_balancer: {type: network}}\n"
                          "services: {web: {image: a}}\n"),
              testing::Contains(HasSubstr("is for cloud: aws")));
}

TEST(Balancer, SaysWhereAndWhatItsTypeCannotDo) {
  const auto of = [](const std::string& type, const std::string& listener,
                     const std::string& aws = "") {
    return aws_faults(aws, "  load_balancer:\n    type: " + type +
                               "\n    listeners:\n      - 80:8080\n" + "      - {port: 9000, " +
                               listener + "}\n");
  };
  EXPECT_THAT(of("application", "mode: tcp"),
              HasSubstr("9:9 the listener at port 9000 has mode: tcp, and an Application Load "
                        "Balancer speaks HTTP and HTTPS alone"));
  EXPECT_THAT(of("application", "proxy: true"), HasSubstr("X-Forwarded-For"));
  EXPECT_THAT(of("network", "proxy: true"), HasSubstr("the nodes see the client's own address"));
  EXPECT_THAT(of("classic", "proxy: true"), HasSubstr("does not support yet"));
  EXPECT_THAT(of("application", "mode: http", "subnets: [one]"),
              HasSubstr("needs two of different zones"));
  for (const char* type : {"application", "network", "classic"})
    EXPECT_THAT(of(type, "certificate: a.pem"), HasSubstr("9:9 the listener at port 9000 has a "
                                                          "certificate file"));
  EXPECT_EQ(of("application", "certificate: 'arn:aws:acm:x'"), "");
  EXPECT_EQ(of("network", "mode: tcp, certificate: 'arn:aws:acm:x'", "subnets: [one]"), "");
  EXPECT_EQ(of("network", "mode: http"), "");
}

TEST(Balancer, HasNoMoreListenersThanAwsLetsIt) {
  std::string list;
  for (int port = 1; port <= 51; ++port) list += std::to_string(port) + ", ";
  const auto of = [&](const std::string& type) {
    return aws_faults("", "  load_balancer: {type: " + type + ", listeners: [" + list + "]}\n");
  };
  EXPECT_EQ(of("classic"), "");
  EXPECT_THAT(of("network"), HasSubstr("51 listeners: a Network Load Balancer has at most 50"));
}

TEST(Aws, CertificatesAreOfAcm) {
  const std::string listeners =
      "  load_balancer: {listeners: [{port: 443, certificate: 'arn:aws:acm:x'}]}\n";
  EXPECT_EQ(load_text(file("", listeners)).spec.cluster.listeners.at(0).certificate,
            "arn:aws:acm:x");
  EXPECT_THAT(faults_of("version: '3.8'\nx-hive:\n  name: shop\n" + listeners +
                        "services: {web: {image: a}}\n"),
              testing::Contains(HasSubstr("takes a PEM file")));
}

// CloudWatch is of AWS's balancer, which is one for all services.
std::string with_metric(const std::string& cloud, const std::string& metric,
                        const std::string& others = "") {
  return "version: '3.8'\n" + cloud +
         "services:\n  web:\n    image: a\n    ports: ['80:8080']\n    x-hive:\n      autoscale:\n"
         "        max: 4\n        target:\n          metrics:\n            - {name: elb, " +
         metric + "}\n" + others;
}

TEST(Aws, FiguresOfTheBalancerAreOfThisCloudAlone) {
  const std::string count = "cloudwatch: RequestCount, per_replica: 50";
  const std::string aws = "x-hive: {name: shop, cloud: aws}\n";
  EXPECT_EQ(load_text(with_metric(aws, count))
                .spec.services.at("web")
                .hive->autoscale->target.metrics.at(0)
                .cloudwatch,
            "RequestCount");
  for (const std::string cloud : {"x-hive: {name: shop}\n", "x-hive: {cloud: local}\n"})
    EXPECT_THAT(faults_of(with_metric(cloud, count)),
                testing::ElementsAre(
                    "12:27 services.web.x-hive.autoscale.target.metrics[0].cloudwatch is "
                    "RequestCount, and x-hive.cloud is local: CloudWatch is AWS's (set "
                    "target.requests_per_replica or target.latency, which the edges measure "
                    "everywhere)"));
  EXPECT_THAT(faults_of(with_metric("", count)), testing::IsEmpty())
      << "a stack of its own does not say where it runs";
}

TEST(Aws, FiguresOfTheBalancerAreOfTheClassicOneAlone) {
  for (const std::string type : {"network", "application"})
    EXPECT_THAT(faults_of(with_metric("x-hive: {name: shop, cloud: aws, aws: {subnets: [a, b]}, "
                                      "load_balancer: {type: " +
                                          type + "}}\n",
                                      "cloudwatch: Latency, at_most: 1s")),
                testing::ElementsAre(HasSubstr("x-hive.load_balancer.type is " + type +
                                               ": these are figures of the Classic")));
}

TEST(Aws, ABalancersRequestsAreOfAllServices) {
  const std::string aws = "x-hive: {name: shop, cloud: aws}\n";
  const std::string others = "  api: {image: a, ports: ['81:8080']}\n  worker: {image: a}\n";
  EXPECT_THAT(warnings_of(with_metric(aws, "cloudwatch: RequestCount, per_replica: 50", others)),
              testing::ElementsAre(HasSubstr("the balancer counts the requests of api too")));
  EXPECT_THAT(warnings_of(with_metric(aws, "cloudwatch: Latency, at_most: 1s", others)),
              testing::IsEmpty());
}

}  // namespace
}  // namespace hive::config
