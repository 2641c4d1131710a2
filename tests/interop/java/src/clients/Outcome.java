package clients;

import com.alibaba.fastjson.JSON;
import com.alibaba.fastjson.serializer.SerializerFeature;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What one scenario saw, a line of JSON each, in the order said. */
final class Outcome {
  private final String scenario;
  private final List<String> lines = new ArrayList<>();

  Outcome(String scenario) {
    this.scenario = scenario;
  }

  synchronized void say(String what, Object value) {
    Map<String, Object> line = new TreeMap<>();
    line.put("scenario", scenario);
    line.put("what", what);
    line.put("value", value);
    lines.add(JSON.toJSONString(line, SerializerFeature.MapSortField, SerializerFeature.DisableCircularReferenceDetect));
  }

  /** What is asked of us alone, as the reference does not always keep it. */
  synchronized void promise(String what, boolean kept) {
    lines.add(JSON.toJSONString(new TreeMap<>(Map.of("scenario", scenario, "ours", what, "value", kept)), SerializerFeature.MapSortField));
  }

  synchronized void failed(Throwable e) {
    e.printStackTrace();
    say("failed", e.toString());
  }

  synchronized void print() {
    for (String line : lines) {
      System.out.println(line);
    }
  }
}
