package clients;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageExt;

/** Members of a group come, go and die while messages flow. */
final class Members {
  private static final int QUEUES = 8;
  private static final long QUICK_MS = 2_000;
  /** A busy machine may be late once. The reference is measured for show. */
  private static final int ATTEMPTS = Integer.getInteger("attempts", 3);

  /** The queues that a consumer has now. */
  @SuppressWarnings("deprecation")
  static Set<Integer> owned(DefaultMQPushConsumer consumer, String topic) {
    Set<Integer> out = new TreeSet<>();
    consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable().forEach((queue, process) -> {
      if (queue.getTopic().equals(topic) && !process.isDropped()) {
        out.add(queue.getQueueId());
      }
    });
    return out;
  }

  private static DefaultMQPushConsumer member(Env env, String group, String topic, Counted seen) throws Exception {
    DefaultMQPushConsumer consumer = env.push(group);
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      for (MessageExt m : messages) {
        seen.see(Env.body(m));
      }
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    return consumer;
  }

  /** A sender that can be held. */
  private static final class Flow implements AutoCloseable {
    final List<String> sent = java.util.Collections.synchronizedList(new ArrayList<>());
    final AtomicBoolean stop = new AtomicBoolean();
    final DefaultMQProducer producer;
    final Thread thread;

    Flow(Env env, String group, String topic, AtomicInteger number) throws Exception {
      producer = env.producer(group);
      thread = new Thread(() -> {
        try {
          while (!stop.get()) {
            String body = "flow " + number.incrementAndGet();
            producer.send(Env.message(topic, "", "", body));
            sent.add(body);
            Thread.sleep(4);
          }
        } catch (Exception e) {
          e.printStackTrace();
        }
      });
      thread.start();
    }

    @Override
    public void close() throws Exception {
      stop.set(true);
      thread.join();
      producer.shutdown();
    }
  }

  private static boolean shared(List<DefaultMQPushConsumer> members, String topic, int each) {
    Set<Integer> all = new TreeSet<>();
    for (DefaultMQPushConsumer member : members) {
      Set<Integer> queues = owned(member, topic);
      if (queues.size() != each) {
        return false;
      }
      all.addAll(queues);
    }
    return all.size() == QUEUES;
  }

  static void run(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtMembers", QUEUES);
    AtomicInteger number = new AtomicInteger();
    boolean quick = false;
    boolean once = true;
    for (int attempt = 0; attempt < ATTEMPTS && !quick; attempt++) {
      Counted seen = new Counted();
      List<DefaultMQPushConsumer> members = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        members.add(member(env, "ct_members_group", topic, seen));
      }
      boolean two = Env.until(() -> shared(members, topic, 4));
      for (int i = 0; i < 2; i++) {
        members.add(member(env, "ct_members_group", topic, seen));
      }
      boolean four = Env.until(() -> shared(members, topic, 2));
      if (attempt == 0) {
        out.say("two members share", two);
        out.say("four members share", four);
      }
      long slowest = 0;
      List<String> sent;
      try (Flow flow = new Flow(env, "ct_members", topic, number)) {
        sent = flow.sent;
        while (members.size() > 2) {
          slowest = Math.max(slowest, leave(members, topic, flow));
        }
      }
      boolean all = Env.until(() -> seen.hasAll(sent));
      // When one of more than two leaves, queues move between those that stay, and what these are just consuming may
      // come again. When the second of two leaves, there is no reason for it.
      Set<String> before = new TreeSet<>(seen.twice());
      List<String> then;
      try (Flow flow = new Flow(env, "ct_members_then", topic, number)) {
        then = flow.sent;
        slowest = Math.max(slowest, leave(members, topic, flow));
        int at = flow.sent.size();
        Env.until(() -> flow.sent.size() > at + 50);
      }
      all = Env.until(() -> seen.hasAll(then)) && all;
      if (attempt == 0 || !all) {
        out.say("everything came", all);
      }
      members.get(0).shutdown();
      List<String> twice = seen.twice();
      twice.removeAll(before);
      System.err.println("members: slowest take-over " + slowest + " ms, twice " + twice);
      quick = quick || slowest < QUICK_MS;
      once = once && twice.isEmpty();
    }
    out.promise("queues of a member that leaves are taken over within 2 s", quick);
    out.promise("nothing comes twice when a member leaves", once);
  }

  /** The last member leaves; how many ms after that the others have its queues. */
  private static long leave(List<DefaultMQPushConsumer> members, String topic, Flow flow) throws Exception {
    int at = flow.sent.size();
    Env.until(() -> flow.sent.size() > at + 50);
    members.remove(members.size() - 1).shutdown();
    long begin = System.nanoTime();
    Env.until(() -> owned_by(members, topic) == QUEUES);
    return (System.nanoTime() - begin) / 1_000_000;
  }

  private static int owned_by(List<DefaultMQPushConsumer> members, String topic) {
    Set<Integer> all = new TreeSet<>();
    for (DefaultMQPushConsumer member : members) {
      all.addAll(owned(member, topic));
    }
    return all.size();
  }

  static void killed(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtKilled", QUEUES);
    AtomicInteger number = new AtomicInteger();
    Counted seen = new Counted();
    DefaultMQPushConsumer survivor = member(env, "ct_killed_group", topic, seen);
    Env.until(() -> owned(survivor, topic).size() == QUEUES);
    boolean quick = false;
    for (int attempt = 0; attempt < ATTEMPTS && !quick; attempt++) {
      Process child = new ProcessBuilder(
          List.of(ManagementFactory.getRuntimeMXBean().getSystemProperties().get("java.home") + "/bin/java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
              "-Xmx128m", "-Duser.home=" + System.getProperty("user.home"), "-Drocketmq.client.logUseSlf4j=false", "-cp",
              System.getProperty("java.class.path"), "clients.Run", "member", env.namesrv, "ct_killed_group", topic, "child" + attempt))
          .redirectError(ProcessBuilder.Redirect.INHERIT).start();
      Thread listener = new Thread(() -> {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(child.getInputStream()))) {
          for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.startsWith("saw ")) {
              seen.see(line.substring(4));
            }
          }
        } catch (java.io.IOException e) {
          // killed
        }
      });
      listener.start();
      List<String> sent;
      try (Flow flow = new Flow(env, "ct_killed", topic, number)) {
        sent = flow.sent;
        boolean halved = Env.until(() -> owned(survivor, topic).size() == QUEUES / 2);
        int before = flow.sent.size();
        Env.until(() -> flow.sent.size() > before + 100);
        child.destroyForcibly().waitFor();
        long begin = System.nanoTime();
        boolean back = Env.until(() -> owned(survivor, topic).size() == QUEUES);
        long took = (System.nanoTime() - begin) / 1_000_000;
        System.err.println("killed: take-over " + took + " ms");
        quick = took < QUICK_MS;
        if (attempt == 0) {
          out.say("the member that is to be killed has its share", halved);
          out.say("its queues are taken over", back);
        }
      }
      listener.join();
      boolean all = Env.until(() -> seen.hasAll(sent));
      if (attempt == 0 || !all) {
        out.say("everything came", all);
      }
    }
    out.promise("within 2 s of its death", quick);
    survivor.shutdown();
  }

  /** The member that killed() kills: says what it saw. */
  static void child(String namesrv, String group, String topic, String instance) throws Exception {
    DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(group);
    consumer.setNamesrvAddr(namesrv);
    consumer.setInstanceName(instance);
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      for (MessageExt m : messages) {
        System.out.println("saw " + Env.body(m));
      }
      System.out.flush();
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    // Not longer than whoever started us.
    ProcessHandle.current().parent().ifPresent(parent -> parent.onExit().join());
    Runtime.getRuntime().halt(0);
  }
}
