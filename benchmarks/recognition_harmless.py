r"""Harmless text of many trades and languages that only looks like an attack: (kind, member names, texts).

The `HELD_OUT` half was written together with the other; its misses were looked at only after tuning.
"""

from __future__ import annotations

__all__ = ["HARMLESS", "HELD_OUT_HARMLESS", "Harmless"]

Harmless = tuple[str, tuple[str, ...], tuple[str, ...]]

HARMLESS: tuple[Harmless, ...] = (
    ("names with apostrophes", ("lastName", "name", "q", "customer"), ("O'Brien", "D'Angelo", "L'Oréal & Co", "N'Golo Kanté", "Conor O'Neill or Sean O'Hara", "Rock 'n' Roll", "McDonald's")),
    ("SQL words in prose", ("comment", "message", "text", "q"), (
        "Please select all items from the table and drop the rest at the union square office.", "Where do I update my address or delete my account?", "I'd like to insert a coin; and 1 = 1 is always true, as my teacher said",
        "The union select committee meets on Monday", "Order by phone -- we deliver", "select a seat from row 5 or having a window", "Trade union or select partner discounts: group by team", "It's 5 o'clock; drop table reservations are done online",
    )),
    ("documentation with SQL", ("body", "answer.markdown", "article.content"), (
        "## Indexes\nUse `SELECT name FROM users WHERE id = 7` to read one row.\n\n```sql\nCREATE INDEX i ON users (name);\n```", "Why is `SELECT * FROM orders ORDER BY created_at` slow? I have 5 million rows.",
        "```sql\nSELECT o.id, sum(p.price)\nFROM orders o JOIN positions p ON p.order_id = o.id\nGROUP BY o.id\nHAVING sum(p.price) > 100;\n```", "To rename a column: ALTER TABLE customers RENAME COLUMN mail TO email;",
    )),
    ("HTML of a CMS", ("html", "content", "post.body"), (
        '<h1>Summer sale</h1><p>All shoes <strong>-20%</strong>.<br/>See <a href="https://shop.example/sale" target="_blank">the list</a>.</p>', '<ul><li>Tea &amp; coffee</li><li>Size &lt; 40</li></ul><img src="/media/cat.png" alt="cat">',
        '<table class="prices"><tr><td>12</td><td>&euro;</td></tr></table><!-- updated by anna -->', '<div style="color:#333"><em>Welcome</em> to our shop</div>', '<figure><img src="https://cdn.example/a.jpg"><figcaption>Our team</figcaption></figure>',
    )),
    ("markdown", ("markdown", "description", "note"), ("# Title\n\n* one\n* two\n\n> quote\n\n[link](https://docs.example/a?b=1&c=2)", "| a | b |\n|---|---|\n| 1 | 2 |", "Use `foo()`; then **bold** and `--flag`", "![logo](../images/logo.png) and [up](../README.md)")),
    ("mathematics", ("formula", "text", "answer"), ("if a<b and b>c then a<>c", "x < 5 && y > 3 || z == 7", "f(x) = 7*7 + 3; {x | x > 0}", "5 <3 you", "1/2 + 1/4 = 3/4; p<0.05 (n=40)", "a=1 or b=2 and c=3", "$x^2 + y^2 = 1$")),
    ("code of a forum", ("code", "snippet", "post.body"), (
        "for (let i = 0; i < n; i++) { console.log(`row ${i}`); }", "def area(r):\n    return 3.14 * r ** 2\n\nprint(area(2))", "if (a && b || !c) { return x ? y : z; }", "const { data } = await fetch(`/api/users/${id}`);", "<Button onClick={save} disabled={!valid}>Save</Button>",
        "How do I run `npm install && npm run build` in CI?", "```bash\ncd project && make test | tee out.log\n```", "public class Cat<T extends Animal> { List<T> all; }", "git log --oneline | head -5", "docker run -p 8080:80 nginx", 'print(f"{name!r} has {len(items)} items")',
    )),
    ("GraphQL query text", ("query",), ("query { user(id: 7) { name orders(first: 10) { edges { node { id } } } } }", "mutation($input: OrderInput!) { createOrder(input: $input) { id total } }", "query Search($q: String!) { search(text: $q) { ... on Product { title } } }")),
    ("OData and RSQL filters", ("$filter", "filter", "where", "rsql"), ("Price gt 20 and startswith(Name,'A')", "name eq 'O''Neil' or age lt 30", "contains(Title,'union') and Id ne 5", "status==open;priority>3,owner=='anna'", "genres=in=(sci-fi,action);year=ge=2000", "Orders/any(o: o/Total gt 100)", "createdAt ge 2024-01-01T00:00:00Z and status eq 'paid'")),
    ("templates of mails", ("template", "subject", "body"), ("Hello {{name}}, your order {{order.id}} is on its way", "Dear {{ customer.firstName }} {{ customer.lastName }},\n{{#items}}{{title}}{{/items}}", "Hi ${firstName}, welcome to ${company}", "{% if premium %}Thank you{% endif %} {{ name|upper }}", "Bonjour {{prenom}} : {{montant}} EUR", "#{name} has joined #{team}")),
    ("addresses as parameters", ("url", "callback", "webhook", "redirect_uri", "image"), ("https://hooks.partner-shop.com/orders?id=7", "https://www.nordlicht-bank.de/callback?code=abc&state=x%2Fy", "http://cdn.bilder-dienst.de/a/b.png", "https://8.8.8.8/dns-query", "https://example.org:8443/a#b", "app://login/done", "https://api.github.com/repos/o/r/hooks")),
    ("shell-like names", ("product", "title", "q", "name"), ("bash; t-shirt", "Cat & Dog food", "Ping | Pong table", "Top 10 & more; id card holder", "AT&T; phone", "Curl & Shine shampoo", "sleep 10 gummies", "Cat | 12 kg | indoor", "Who am I? (book)", "rm -> room; ls -> living space")),
    ("paths of a repository", ("path", "file", "target"), ("src/../lib/index.js", "./docs/guide/../api.md", "../README.md", "packages/ui/src/Button.tsx", "/home/anna/project/main.py", "app/models/../views/user.erb", "~/projects/shop", "/etc/nginx/sites-available/shop.conf")),
    ("Windows paths", ("path", "folder", "file"), ("C:\\Users\\Anna\\Documents\\report.docx", "\\\\fileserver\\share\\team\\plan.xlsx", "D:\\Data\\2024\\x.csv", "C:\\Program Files\\Shop\\bin")),
    ("cron and regular expressions", ("schedule", "pattern", "regex"), ("*/5 * * * *", "0 2 * * 1-5", "^[A-Z]{2}\\d{6}$", "^(?:\\+49|0)\\d{3,}$", "(foo|bar)\\s*;?\\s*$", "^\\/api\\/v[12]\\/.*$", ".*\\.(png|jpe?g)$")),
    ("YAML", ("manifest", "config", "yaml"), (
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: web\n    image: nginx:1.25\n    command: [\"/bin/sh\", \"-c\", \"exec nginx -g 'daemon off;'\"]\n", 'resource "aws_s3_bucket" "b" {\n  bucket = "${var.name}-logs"\n  tags = { Env = "${terraform.workspace}" }\n}',
        "env:\n  - name: DB_HOST\n    value: postgres.shop.svc\n", "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.sha }}\n", 'services:\n  db:\n    image: postgres\n    ports: ["127.0.0.1:5432:5432"]\n',
    )),
    ("other scripts", ("text", "comment", "name"), ("Привет; выберите товар из таблицы | скидка", "你好，请从列表中选择；谢谢（1=1）", "مرحبا، اختر من القائمة", "こんにちは｜世界；１＋１＝２", '한국어 "텍스트" & 기호 <테스트>', "🎉🎉 Yay <3 🎉", "Ελλάδα: «καλημέρα»", "Zażółć gęślą jaźń -- test")),
    ("mail bodies", ("body", "message", "email.text"), ("Hi team,\n\nas we said: \"it's done\" -- see below.\n> On Monday, Anna wrote:\n> 'or maybe later'; \n\nBest,\nPaul", "\"Yes\" or 'no'? -- Regards", "From: Anna\nSubject: RE: union & select list; 50% off\n\nI'd say 1=1.")),
    ("LDAP and search filters", ("ldap", "filter", "q"), ("(&(objectClass=person)(uid=anna))", "(|(cn=a*)(mail=*))", 'title:"red shoes" AND price:[10 TO 20]', "+type:bug -label:wontfix || author:anna", "name:anna OR name:paul")),
    ("JSON path and versions", ("expr", "select", "sort"), ("$.store.book[?(@.price < 10)].title", "items[*].price", ">=1.2.3 <2.0.0 || ~3.1", "-createdAt,+name", "id,name,price desc")),
)  # fmt: skip

HELD_OUT_HARMLESS: tuple[Harmless, ...] = (
    ("names with apostrophes", ("surname", "city", "search"), ("O'Shaughnessy", "d'Artagnan", "Côte d'Ivoire", "Martha's Vineyard", "Ta'ziz", "Qur'an", "Hawai'i and O'ahu")),
    ("SQL words in prose", ("review", "feedback", "body"), (
        "We had to delete from the list everything where the date was wrong, or else select again.", "Values: insert into slot A, then update set B = 2", "The table where we drop our keys; create user guides please", "My son's 1 or 2 friends like to sleep (5) hours -- funny!", "credit union or bank? Select from these: a, b",
        "Execute the plan and declare it done; print the cast", "'Like' or 'not like', that's the question; limit 1 per person",
    )),
    ("documentation with SQL", ("text", "page.body"), (
        "The statement\n\n    UPDATE stock SET amount = amount - 1 WHERE sku = 'A7'\n\ntakes a row lock.", "> `INSERT INTO log (msg) VALUES ('hello')` adds a row.", "Migration guide: run `DROP TABLE old_orders;` after the backup, and VACUUM.", "Which is faster, UNION or UNION ALL? `SELECT a FROM t1 UNION ALL SELECT a FROM t2`",
    )),
    ("HTML of a CMS", ("html", "widget.content"), ('<section id="about"><h2>Über uns</h2><p>Seit 1998 &mdash; für Sie da.</p><hr></section>', '<blockquote cite="https://news.example">"Great!"</blockquote><p>3 > 2 & 1 < 2</p>', '<video controls width="640"><source src="/v/a.mp4" type="video/mp4"></video>', '<iframe width="560" src="https://www.youtube.com/embed/abc123" allowfullscreen></iframe>', '<p>Call <a href="tel:112">us</a> or <a href="mailto:info">write</a></p>')),
    ("mathematics", ("expression", "solution"), ("|x| < 3; y >= 2", "(a || b) && c", "{{1,2},{3,4}} is a matrix", "sum = ${subtotal} + 7 * 7", "x' = x + 1; x'' or x'''", "A ∪ B ⊂ C; 3 <= n <= 9", "int main() { return 0 <1; }")),
    ("code of a forum", ("code", "question.body"), (
        "SELECT isn't a Python keyword; use `select()` from sqlalchemy", "let s = items.filter(x => x.id > 3 && x.ok).map(x => `#${x.id}`);", 'echo "done"; exit 0', "ls -la | grep txt prints nothing, why?", "curl -X POST https://api.shop.example/v1/orders -d '{\"a\":1}'", "$ pip install requests; python app.py", "try { x(); } catch (e) { alert('failed'); }", '<template><div v-if="a < b">{{ item.title }}</div></template>', "The onclick attribute of a button calls my function twice", "while true; do date; sleep 5; done",
    )),
    ("GraphQL query text", ("query",), ('subscription { orderChanged(id: "7") { status } }', "fragment F on User { id name } query { me { ...F } }", '{ products(filter: {price: {lt: 20, gt: 5}}, orderBy: "name") { title } }')),
    ("query languages", ("filter", "$orderby", "jql", "kql"), ("Rating ge 4 or Category/Name eq 'Books'", 'project = SHOP AND status in (Open, "In Progress") ORDER BY created DESC', "status:500 and not service:'checkout'", "substringof('lfred', CompanyName) eq true", "(price gt 10) and (not endswith(Desc,'milk'))", "name=='*anna*' and age=lt=40")),
    ("templates of mails", ("template", "text"), ("{{> header}} Hola {{nombre}}!", "Your code: {{code}} ({{ minutes }} min)", "Dear %{name}, you've got %{count} messages", "{{#each rows}}<li>{{this.title}}</li>{{/each}}", "{{ 'cart.title' | t }}: {{ cart.total | money }}", "<%= user_name %> invited you", "${greeting} ${user.name}!")),
    ("addresses as parameters", ("next", "target_url", "feed", "avatar_url"), ("https://maps.example/?q=10.0.0.5+street", "http://blog.tea-shop.co.uk/?p=127", "https://login.uni-hafen.de/saml?SAMLRequest=fZ", "//cdn.example/x.js", "https://10times.example/fair", "https://www.localhostel.com/rooms", "https://user.github.io/page")),
    ("shell-like names", ("item", "company", "tag"), ("Nice & Easy; wash & go", "Wget Records (label)", "Echo | Dot | Show", "Python 3 & Perl: a book", "Net user guide & manual", "Host; the band", "cat /dog/ bird feeder", "Tom & Jerry; find | seek", "Head & Shoulders", "Less is more; more or less")),
    ("paths of a repository", ("include", "source", "key"), ("lib/../include/a.h", "../../shared/components/Button", "./../styles/main.css", "docs/..%20notes.md", "a/b/c...d/e", "/usr/local/share/shop/readme.txt", "/var/lib/shop/data")),
    ("Windows paths", ("location", "printer"), ("E:\\Backup\\..\\Current\\a.bak", "\\\\print01\\HP-2.Stock", "C:\\Temp\\x.tmp", "%APPDATA%\\Shop\\settings.json")),
    ("schedules and rules", ("rule", "cron", "match"), ("@daily", "15,45 */2 * * MON", "[^\\s@]+\\.[^\\s@]+", "^(a+|b*)?$", "(?i)order[-_ ]?no\\.?", "FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10")),
    ("configuration", ("spec", "hcl", "ini"), ("[server]\nhost = 0.0.0.0\nport = 8080\n; comment\n", "location / { proxy_pass http://backend:8080; }", 'output "ip" { value = "${aws_instance.a.private_ip}" }', "livenessProbe:\n  httpGet:\n    path: /healthz\n    port: 8080\n", "image: {{ .Values.image.repository }}:{{ .Values.image.tag }}", "FROM python:3.12\nRUN pip install x && rm -rf /var/lib/apt/lists/*\n")),
    ("other scripts", ("caption", "status"), ("Спасибо! 'да' или 'нет' -- выбирайте", "价格<100元；数量>5", "שלום & תודה", "ありがとう（＾＿＾）＜笑＞", "สวัสดี | ไทย", "¿Qué? ¡Sí! «o no»; d'accord", "👩‍💻 && 👨‍💻 = ❤️")),
    ("mail bodies", ("reply", "mail.body"), ("> > 'Are you there?'\n> Yes -- and you?\n--\nSent from my phone; sorry for typos", "Dear Mr. O'Hara,\nplease select \"Option 1\" or 'Option 2' from the form.\n# ticket 17", "PS: 10 > 9 & I won the bet :-)")),
    ("search filters", ("search", "lucene"), ("_exists_:user AND NOT level:debug", "(price:<20 OR sale:true) && brand:\"L'Or\"", "site:docs.example filetype:pdf 'exact phrase'", '"a" OR "b"', "is:open is:issue author:@me")),
    ("SOAP", ("envelope",), ('<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:o="urn:orders"><soapenv:Body><o:Get><o:Id>7</o:Id></o:Get></soapenv:Body></soapenv:Envelope>', "<!DOCTYPE html><html><head><title>Hi</title></head><body><p>Newsletter</p></body></html>")),
)  # fmt: skip
