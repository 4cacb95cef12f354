// Asks veraPDF's own rules about PDF files: one line a file and standard, and a line for every rule that is broken.
// Started by conformance.py, as source; veraPDF comes with the class path.

import java.io.FileInputStream;
import java.util.Map;
import java.util.TreeSet;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.validation.profiles.Profiles;

public class Conformance {
  static final Map<String, String> STANDARDS = Map.of("3a", "PDFA-3A", "ua1", "PDFUA-1");

  public static void main(String[] files) throws Exception {
    Logger.getLogger("").setLevel(Level.SEVERE);
    VeraGreenfieldFoundryProvider.initialise();
    var foundry = Foundries.defaultInstance();
    for (var file : files) {
      for (var standard : STANDARDS.entrySet()) {
        var name = "/org/verapdf/pdfa/validation/" + standard.getValue() + ".xml";
        try (var rules = PDFAFlavour.class.getResourceAsStream(name);
            var content = new FileInputStream(file);
            var parser = foundry.createParser(content, PDFAFlavour.byFlavourId(standard.getKey()))) {
          var result = foundry.createValidator(Profiles.profileFromXml(rules), false).validate(parser);
          var broken = new TreeSet<String>();
          for (var found : result.getTestAssertions()) {
            if (found.getStatus() == TestAssertion.Status.FAILED) {
              broken.add(found.getRuleId().getClause() + "-" + found.getRuleId().getTestNumber());
            }
          }
          System.out.println((result.isCompliant() ? "holds " : "breaks ") + standard.getValue() + " " + file + " " + broken);
        }
      }
    }
  }
}
