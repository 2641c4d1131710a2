package peer;

import com.alibaba.fastjson.JSON;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.store.ReadOffsetType;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * What administrators look at: on each name server's cluster a topic with messages, a producer and a consumer group on line,
 * and a group that has offsets and is off line. Says as one JSON object a cluster what there is to be looked for, then stays
 * until its standard input ends.
 *
 * <pre>
 * Resident NAMESRV...
 * </pre>
 */
public final class Resident {
  static final int MESSAGES = 8;

  public static void main(String[] args) {
    Main.exitAfter(() -> {
      for (String namesrv : args) {
        System.out.println(JSON.toJSONString(set(namesrv)));
        System.out.flush();
      }
      while (System.in.read() >= 0) {
        // Nothing is said to us but the end.
      }
      return true;
    });
  }

  private static Map<String, Object> set(String namesrv) throws Exception {
    String instance = "at" + namesrv.substring(namesrv.indexOf(':') + 1);
    DefaultMQProducer producer = new DefaultMQProducer("AdmProducer", true, null);
    producer.setNamesrvAddr(namesrv);
    producer.setInstanceName(instance);
    producer.setSendMsgTimeout(20000);
    producer.start();
    SendResult first = null;
    for (int i = 0; i < MESSAGES; i++) {
      Message message = new Message("AdmTopic", "TagA", "key" + i, ("body " + i).getBytes(StandardCharsets.UTF_8));
      message.putUserProperty("number", String.valueOf(i));
      // All in known places: two a queue.
      SendResult result = producer.send(message, (queues, m, n) -> queue(queues, (Integer) n % 4), i);
      first = first == null ? result : first;
    }
    producer.getTraceDispatcher().flush();
    consumer(namesrv, instance + "off", "AdmOffLine").shutdown();
    consumer(namesrv, instance, "AdmOnLine");
    Map<String, Object> found = new TreeMap<>();
    found.put("namesrv", namesrv);
    found.put("unique", first.getMsgId());
    found.put("offset", first.getOffsetMsgId());
    found.put("client", producer.getDefaultMQProducerImpl().getMqClientFactory().getClientId());
    return found;
  }

  private static MessageQueue queue(java.util.List<MessageQueue> queues, int id) {
    for (MessageQueue queue : queues) {
      if (queue.getQueueId() == id) {
        return queue;
      }
    }
    throw new IllegalStateException("no queue " + id);
  }

  // Returns once it has consumed everything.
  private static DefaultMQPushConsumer consumer(String namesrv, String instance, String group) throws Exception {
    CountDownLatch all = new CountDownLatch(MESSAGES);
    DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(group);
    consumer.setNamesrvAddr(namesrv);
    consumer.setInstanceName(instance);
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
    consumer.subscribe("AdmTopic", "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      messages.forEach(m -> all.countDown());
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    if (!all.await(120, TimeUnit.SECONDS)) {
      throw new IllegalStateException(group + " did not get all messages");
    }
    // What it has consumed it commits a moment later.
    for (int i = 0; i < 1200 && committed(consumer) < MESSAGES; i++) {
      Thread.sleep(50);
    }
    return consumer;
  }

  private static long committed(DefaultMQPushConsumer consumer) throws Exception {
    long sum = 0;
    for (MessageQueue queue : consumer.fetchSubscribeMessageQueues("AdmTopic")) {
      sum += Math.max(0, consumer.getDefaultMQPushConsumerImpl().getOffsetStore().readOffset(queue, ReadOffsetType.READ_FROM_MEMORY));
    }
    return sum;
  }
}
