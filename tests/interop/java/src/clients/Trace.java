package clients;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.trace.TraceBean;
import org.apache.rocketmq.client.trace.TraceContext;
import org.apache.rocketmq.client.trace.TraceDataEncoder;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;

/** Clients that trace: into the broker's own topic, which nobody has made, and into one that was named. */
final class Trace {
  static void run(Env env, Outcome out) throws Exception {
    String named = env.topic("CtTraces", 1);
    for (String traces : Arrays.asList(null, named)) {
      one(env, out, traces == null ? "own" : "named", traces);
    }
    out.say("made as", new TreeMap<>(Map.of("queues", env.reader().fetchSubscribeMessageQueues("RMQ_SYS_TRACE_TOPIC").size())));
  }

  private static void one(Env env, Outcome out, String name, String traces) throws Exception {
    String topic = env.topic("CtTraced-" + name, 1);
    DefaultMQProducer producer = new DefaultMQProducer("ct_trace_" + name, true, traces);
    producer.setNamesrvAddr(env.namesrv);
    producer.setInstanceName(env.instance());
    producer.setSendMsgTimeout(20_000);
    producer.start();
    SendResult sent = producer.send(Env.message(topic, "Tag", "key-" + name, "traced"));
    producer.getTraceDispatcher().flush();
    DefaultMQPushConsumer consumer = new DefaultMQPushConsumer("ct_traced_" + name, true, traces);
    consumer.setNamesrvAddr(env.namesrv);
    consumer.setInstanceName(env.instance());
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
    consumer.subscribe(topic, "*");
    AtomicInteger attempts = new AtomicInteger();
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      attempts.incrementAndGet();
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    Env.until(() -> attempts.get() > 0);

    // By the id of what is traced, which is a key of its traces.
    String where = traces == null ? "RMQ_SYS_TRACE_TOPIC" : traces;
    List<String> found = new ArrayList<>();
    Env.until(() -> {
      found.clear();
      try {
        for (MessageExt m : env.admin.queryMessage(where, sent.getMsgId(), 32, 0, Long.MAX_VALUE).getMessageList()) {
          for (TraceContext trace : TraceDataEncoder.decoderFromTraceDataString(Env.body(m))) {
            for (TraceBean bean : trace.getTraceBeans()) {
              if (bean.getMsgId().equals(sent.getMsgId())) {
                found.add(trace.getTraceType() + " " + trace.getGroupName() + " " + bean.getTopic() + " " + bean.getTags() + " " + bean.getKeys()
                    + " " + bean.getBodyLength() + " " + trace.isSuccess());
              }
            }
          }
        }
      } catch (MQClientException e) {
        // Nothing yet.
      } catch (Exception e) {
        found.add(e.toString());
      }
      return found.size() >= 3;
    });
    Collections.sort(found);
    out.say(name, found);
    producer.shutdown();
    consumer.shutdown();
  }
}
