package clients;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.route.BrokerData;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** Where the brokers are, and the few things that every scenario needs. Any thread. */
final class Env {
  /** Long enough for a client that misses its first rebalance: it tries again after 20 s. */
  static final long PATIENCE_MS = 150_000;

  /** The client's own 3 s for its questions are too short for a machine that does other things as well. */
  private static final int API_TIMEOUT_MS = 20_000;

  final String namesrv;
  final DefaultMQAdminExt admin;
  private final AtomicInteger instances = new AtomicInteger();
  private DefaultMQPullConsumer reader;

  Env(String namesrv) throws Exception {
    this.namesrv = namesrv;
    admin = new DefaultMQAdminExt(20_000);
    admin.setNamesrvAddr(namesrv);
    admin.setInstanceName(instance());
    admin.setMqClientApiTimeout(API_TIMEOUT_MS);
    admin.start();
  }

  String instance() {
    return "i" + instances.incrementAndGet();
  }

  String broker() throws Exception {
    for (BrokerData broker : admin.examineBrokerClusterInfo().getBrokerAddrTable().values()) {
      return broker.selectBrokerAddr();
    }
    throw new IllegalStateException("no broker");
  }

  String topic(String name, int queues) throws Exception {
    return topic(name, queues, 6);
  }

  String topic(String name, int queues, int perm) throws Exception {
    admin.createAndUpdateTopicConfig(broker(), new TopicConfig(name, queues, queues, perm));
    until(() -> {
      try {
        return admin.examineTopicRouteInfo(name) != null;
      } catch (Exception e) {
        return false;
      }
    });
    return name;
  }

  DefaultMQProducer producer(String group) throws Exception {
    DefaultMQProducer producer = new DefaultMQProducer(group);
    producer.setNamesrvAddr(namesrv);
    producer.setInstanceName(instance());
    producer.setSendMsgTimeout(20_000);
    producer.setMqClientApiTimeout(API_TIMEOUT_MS);
    producer.start();
    return producer;
  }

  DefaultMQPushConsumer push(String group) {
    DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(group);
    consumer.setNamesrvAddr(namesrv);
    consumer.setInstanceName(instance());
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
    consumer.setMqClientApiTimeout(API_TIMEOUT_MS);
    consumer.setConsumeThreadMin(2);
    consumer.setConsumeThreadMax(4);
    consumer.setAwaitTerminationMillisWhenShutdown(10_000);
    return consumer;
  }

  /** Every message of a topic, queue by queue. */
  List<MessageExt> read(String topic) throws Exception {
    DefaultMQPullConsumer from = reader();
    List<MessageExt> out = new ArrayList<>();
    List<MessageQueue> queues = new ArrayList<>(from.fetchSubscribeMessageQueues(topic));
    Collections.sort(queues);
    for (MessageQueue queue : queues) {
      long at = from.minOffset(queue);
      while (at < from.maxOffset(queue)) {
        PullResult got = from.pull(queue, "*", at, 32);
        if (got.getPullStatus() == PullStatus.FOUND) {
          out.addAll(got.getMsgFoundList());
        }
        at = got.getNextBeginOffset();
      }
    }
    return out;
  }

  synchronized DefaultMQPullConsumer reader() throws Exception {
    if (reader == null) {
      reader = puller("clients_reader");
    }
    return reader;
  }

  DefaultMQPullConsumer puller(String group) throws Exception {
    DefaultMQPullConsumer consumer = new DefaultMQPullConsumer(group);
    consumer.setNamesrvAddr(namesrv);
    consumer.setInstanceName(instance());
    consumer.setMqClientApiTimeout(API_TIMEOUT_MS);
    consumer.start();
    return consumer;
  }

  static Message message(String topic, String tag, String key, String body) {
    return new Message(topic, tag, key, body.getBytes(StandardCharsets.UTF_8));
  }

  static String body(Message message) {
    return new String(message.getBody(), StandardCharsets.UTF_8);
  }

  /** Waits for it, Env.PATIENCE_MS at most; whether it came. */
  static boolean until(BooleanSupplier condition) throws InterruptedException {
    return until(PATIENCE_MS, condition);
  }

  static boolean until(long ms, BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + ms * 1_000_000;
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        return false;
      }
      Thread.sleep(20);
    }
    return true;
  }

  /** For what must not come: waits a while for it all the same. */
  static boolean never(long ms, BooleanSupplier condition) throws InterruptedException {
    return !until(ms, condition);
  }

  /** Properties that say the same in every run. */
  static Map<String, String> properties(Message message) {
    Map<String, String> out = new TreeMap<>(message.getProperties());
    for (String name : VARYING) {
      if (out.containsKey(name)) {
        out.put(name, "*");
      }
    }
    return out;
  }

  private static final Set<String> VARYING = Set.of("UNIQ_KEY", "MIN_OFFSET", "MAX_OFFSET", "CONSUME_START_TIME", "INSTANCE_ID",
      "ORIGIN_MESSAGE_ID", "CORRELATION_ID", "REPLY_TO_CLIENT", "PUSH_REPLY_TIME", "ARRIVE_TIME", "REQUEST_ID", "REAL_QID",
      "TIMER_OUT_MS", "TIMER_DELIVER_MS", "TIMER_ENQUEUE_MS", "TIMER_DEQUEUE_MS");
}
