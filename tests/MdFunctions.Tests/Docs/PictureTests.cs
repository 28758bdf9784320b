using System.Globalization;
using System.Xml.Linq;

namespace MdFunctions.Tests.Docs;

/// <summary>README's picture has room for its texts in any font, and colours for dark pages.</summary>
public sealed class PictureTests
{
    private static readonly XDocument Picture = XDocument.Load(Path.Combine(DocPages.Root, ".github", "diagram.svg"));

    // Verdana's and DejaVu's letters are the widest of the usual fonts: 0.62 of their size on average, 0.7 where they are bold.
    [Fact]
    public void Every_text_fits_into_its_box_in_the_widest_font()
    {
        var boxes = Elements("rect").Select(box => (X: Number(box, "x"), Y: Number(box, "y"), Width: Number(box, "width"), Height: Number(box, "height"))).ToList();
        var texts = Elements("text").Select(text => (Text: text.Value, X: Number(text, "x"), Y: Number(text, "y"), Width: text.Value.Length * (text.Attribute("class")?.Value.Contains("name", StringComparison.Ordinal) == true ? 14 * 0.7 : 12 * 0.62), IsCentered: text.Attribute("class")?.Value.Contains("app", StringComparison.Ordinal) != true)).ToList();
        var inBoxes = 0;
        foreach (var text in texts)
        {
            // The smallest box around the point that the text hangs on.
            var box = boxes.Where(box => text.X >= box.X && text.X <= box.X + box.Width && text.Y > box.Y && text.Y < box.Y + box.Height).MinBy(box => box.Width);
            Assert.True(box.Width > 0, $"'{text.Text}' is outside the picture");
            var (left, right) = text.IsCentered ? (text.X - text.Width / 2, text.X + text.Width / 2) : (text.X, text.X + text.Width);
            Assert.True(left >= box.X + 4 && right <= box.X + box.Width - 4, $"'{text.Text}' takes {text.Width}, its box has {box.Width}");
            inBoxes += box.Width < 400 ? 1 : 0;
        }
        Assert.True(inBoxes > 15);
    }

    [Fact]
    public void Dark_pages_have_a_value_for_every_colour()
    {
        var style = Elements("style").Single().Value.Split("@media (prefers-color-scheme: dark)");
        Assert.Equal(2, style.Length);
        var dark = style[1][..style[1].IndexOf("text {", StringComparison.Ordinal)];
        var names = style[0].Split("--").Skip(1).Select(part => part.Split(':')[0]).ToList();
        Assert.True(names.Count > 10);
        Assert.All(names, name => Assert.Contains($"--{name}:", dark, StringComparison.Ordinal));
        // Colours are in the style only, so that dark pages change them all.
        Assert.DoesNotContain(Picture.Descendants(), element => element.Attribute("fill") is not null || element.Attribute("stroke") is not null);
    }

    private static IEnumerable<XElement> Elements(string name) => Picture.Descendants().Where(element => element.Name.LocalName == name);

    private static double Number(XElement element, string name) => double.Parse(element.Attribute(name)?.Value ?? "0", CultureInfo.InvariantCulture);
}
