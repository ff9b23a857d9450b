"""The AWS that hive's tests run against: moto, in one process with what it lacks.

    calls       a request off the wire, refusals in each protocol
    faults      throttling, refused permissions, broken and lost answers
    visibility  what was just made is not found yet
    world       the clock, the settings and the parts below, driven by one thread
    instances   EC2: boot and shutdown take time, capacity and limits, launches by token
    images      AMIs that moto lacks
    scaling     Auto Scaling: groups that launch, replace and terminate
    warm_pools  warm pools: instances that groups take before they launch
    lifecycle   lifecycle hooks: waiting, heartbeats, completion, timeouts
    balancers   Classic ELB: registration, health, connection draining
    target_groups  application and network balancers: targets, health, draining
    paths       where its things are, and their marks
    machines    each EC2 instance as a machine of its own on this one
    network     the VPC of those machines: a bridge, a link a machine
    metadata    the instance metadata service (IMDSv2) that they see
    cgroups     their control groups
    identity    who a machine is: signed documents, credentials of its role
    cloud_init  cloud-init's own check of user data
    guest/      what runs in a machine: cloud-init
    registry    ECR with images: docker-registry behind its tokens
    push        an image archive into a registry
    listeners   HAProxy as the balancers' listeners
    server      the one port: the API of AWS, and the control endpoint
    control     what tests use of it
"""
