"""The German words of the planner, and the English words that mean the same to its grammar.

Each entry is ``German, also German = English;``. Umlauts and ß are written plainly here (``hochst`` is "höchst"), as
:func:`fold` makes them. Nouns have their singular and, behind the sign, everything a table may call the thing.
"""

from __future__ import annotations

from .lexicon import MONTHS as CALENDAR

__all__ = ["ENDINGS", "HEADS", "MONTHS", "NOUNS", "SMALL", "STEMS", "fold"]

# What German hangs on a word: the plural, the cases, the forms of an adjective.
ENDINGS = ("e", "n", "s", "en", "es", "er", "em", "ern", "se", "nen")

_PLAIN = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "ß": "ss"})


def fold(word: str) -> str:
    """A word as the lists here have it.

    >>> fold("Größe"), fold("Umsätze")
    ('grosse', 'umsatze')
    """
    return word.casefold().translate(_PLAIN)


def _table(text: str) -> dict[str, str]:
    rows = [line.split(" = ") for line in text.replace(";", "\n").strip().splitlines() if line.strip()]
    return {german.strip(): english.strip() for many, english in rows for german in many.split(",")}


# Small words and phrases, only in this form; "" is left out.
SMALL = _table("""
    zeige, zeig, zeigen sie = show; gib, gebe, geben sie = give; mir, uns = me; nenne, nenn = name; liste = list;
    berechne, berechnen sie = calculate; bestimme, ermittle, ermittele = determine; finde, such, suche = find;
    zeichne, plotte, male = plot; erstelle, erzeuge, mache, mach = create; beschreibe, fasse zusammen = describe;
    vergleiche = compare; zahle = count; ist, betragt, wird, liegt = is; sind, werden, liegen = are; war, wurde = was;
    waren, wurden = were; hat, macht, erzielt = has; haben = have; hatte, hatten = had; gibt es = are there;
    gab es = were there; es gibt = there are; wiegen = weigh; wiegt = weighs; stammen aus, kommen aus = come from;
    stammt aus, kommt aus = comes from; fehlen = are missing; wie viele, wieviele = how many;
    wie viel, wieviel = how much; es = it; diese, dieser, diesem, dieses, diesen = this; verdienen = earn;
    kosten = cost; kostet = costs; jahre alt, jahren alt = years old; verdient = earns; zu, zur, zum = to;
    sortiere absteigend, absteigend sortieren = sorted descending;
    sortiere aufsteigend, aufsteigend sortieren = sorted ascending; welche, welcher, welches, welchen, welchem = which;
    was = what; was ist, was sind, wie lautet, wie lauten = what is; wer = who; wann = when;
    wie hoch ist, wie gross ist, wie lang ist, wie schwer ist, wie viel ist, wie alt ist, wie teuer ist = what is;
    wie hoch sind, wie gross sind, wie lang sind, wie schwer sind = what are;
    wie hoch war, wie gross war, wie lang war, wie schwer war = what was; wie hoch waren, wie gross waren = what were;
    und = and; oder = or; aber = but; sowie = and; nicht = not; kein, keine, keinen, keinem, keiner = no;
    mit, mit einem, mit einer = with; ohne = without; ausser = except; auf = on; in, im, ins = in;
    aus, aus dem, aus der = from; an, am = on; bei, beim, fur = for; bei denen, wo = where; deren, dessen = whose;
    dierel = that; pro, je = per; jede, jeder, jedes, jeden, jedem = each; alle, allen = all; nur = only;
    nur noch = only; auch = also; stattdessen, statt dessen = instead; jetzt, nun = now; dann = then;
    bitte, mal bitte = please; als = as; zwischen = between; seit = since; vor, vor dem = before;
    gegen, gegenuber = against; sortiert nach, geordnet nach = sorted by;
    absteigend sortiert, sortiert absteigend, absteigend = sorted descending;
    aufsteigend sortiert, sortiert aufsteigend, aufsteigend = sorted ascending;
    gruppiert nach, aufgeteilt nach, aufgeschlusselt nach, getrennt nach = by; mehr als = more than;
    grosser als, hoher als = greater than; weniger als = less than;
    kleiner als, niedriger als, geringer als = less than; schwerer als = heavier than; leichter als = lighter than;
    langer als = longer than; kurzer als = shorter than; alter als = older than; junger als = younger than;
    billiger als, gunstiger als = cheaper than; warmer als = warmer than; kalter als = colder than;
    mindestens, wenigstens = at least; hochstens, maximal = at most; genau = exactly; gleich = equal to;
    ungleich = not equal to; oder mehr = or more; oder weniger = or less; oder alter = or older;
    oder junger = or younger;
    uber die zeit, im zeitverlauf, im laufe der zeit, mit der zeit, uber den zeitraum = over time;
    am wochenende, an wochenenden = on weekends; insgesamt = in total; grosste zuerst, hochste zuerst = largest first;
    kleinste zuerst, niedrigste zuerst = lowest first; wie = how; wie ist = what is; wie sind = what are;
    wie vielen = how many; oft = often; top = top; montags = on mondays; dienstags = on tuesdays;
    mittwochs = on wednesdays; donnerstags = on thursdays; freitags = on fridays; samstags = on saturdays;
    sonntags = on sundays; entspricht = equals; enthalt = contains; beginnt mit = starts with;
    endet auf, endet mit = ends with; g = g; kg = kg; cm = cm; mm = mm; m = m; km = km; eur = eur; gramm = grams;
    quadratmeter, qm = sqm; kilo, kilogramm = kg; zentimeter = cm; millimeter = mm; kilometer = km; euro = euros;
    dollar = dollars; minuten = minutes; sekunden = seconds; prozent = percent; eins = one; zwei = two; drei = three;
    vier = four; funf = five; sechs = six; sieben = seven; acht = eight; neun = nine; zehn = ten;
""")

# Nouns of the grammar. A genitive behind one of them is an "of": "Summe der Umsätze". Plurals have their own line.
HEADS = _table("""
    mittelwert, mittelwerte, mittelwerts, mittel, mittels, schnitt = mean;
    durchschnitt, durchschnitts, durchschnittswert = average; median, medians, zentralwert = median;
    summe, summen, gesamtsumme = total;
    minimum, minimums, kleinster wert, kleinsten wert, niedrigster wert, niedrigsten wert = minimum;
    maximum, maximums, grosster wert, grossten wert, hochster wert, hochsten wert = maximum;
    standardabweichung = standard deviation; varianz = variance; spannweite = range; quartile = quartiles;
    interquartilsabstand = interquartile range; perzentil = percentile; quantil = quantile; anzahl, zahl = number;
    gesamtzahl, gesamtanzahl = total number; anteil am, anteil an der, anteil an den = share of;
    anteil, anteile, anteils, prozentualer anteil, prozentuale anteil, prozentualen anteil = share;
    haufigkeit, haufigkeiten = frequency; prozentsatz, prozentanteil = percentage;
    wie viel prozent, wieviel prozent, wie viele prozent = what percentage; verteilung = distribution;
    korrelation, zusammenhang = correlation; korrelationsmatrix = correlation matrix; verhaltnis = ratio;
    unterschied, differenz = difference; entwicklung, verlauf = development; trend = trend; ausreisser = outliers;
    duplikate = duplicates; doppelte zeilen, doppelten zeilen = duplicate rows;
    doppelte werte, doppelten werte = duplicate values; zusammenfassung, uberblick, ubersicht = summary;
    kreuztabelle = crosstab; pivottabelle, pivot-tabelle = pivot table; regression = regression;
    lineare regression, linearen regression = linear regression;
    balkendiagramm, balkendiagramms, saulendiagramm, balkenplot = bar chart;
    liniendiagramm, linienplot, linie = line chart; kreisdiagramm, tortendiagramm, kuchendiagramm = pie chart;
    histogramm, histogramms = histogram; streudiagramm, punktdiagramm, scatterplot, streuplot = scatter plot;
    boxplot, kastendiagramm, kastengrafik = box plot; heatmap = heatmap; diagramm, grafik, plot = chart;
    klassen, bins = bins; zeile = row; zeilen = rows; eintrag = entry; eintrage, eintragen = entries; spalte = column;
    spalten = columns; wert = value; werte, werten = values; tabelle = table; daten = data; jahr, jahres = year;
    jahre, jahren = years; monat, monats = month; monate, monaten = months; woche = week; wochen = weeks;
    tag, tages = day; tage, tagen = days; quartal, quartals = quarter; quartale = quarters; stunde = hour;
    stunden = hours; wochentag, wochentags = weekday; wochentage = weekdays; januar, janner = january;
    februar = february; marz = march; april = april; mai = may; juni = june; juli = july; august = august;
    september = september; oktober = october; november = november; dezember = december; montag, montagen = monday;
    dienstag, dienstagen = tuesday; mittwoch = wednesday; donnerstag = thursday; freitag, freitagen = friday;
    samstag, samstagen, sonnabend = saturday; sonntag, sonntagen = sunday;
""")

# Adjectives and the like, without their endings.
STEMS = _table("""
    durchschnittlich, mittler = mean; maximal = maximum; minimal = minimum; gesamt = total; hochst = highest;
    grosst = largest; niedrigst, geringst = lowest; kleinst = smallest; meist = most; wenigst = fewest;
    schwerst = heaviest; leichtest = lightest; langst = longest; kurzest = shortest; altest = oldest;
    jungst = youngest; teuerst = most expensive; billigst, gunstigst = cheapest; schnellst = fastest; warmst = warmest;
    heissest = hottest; kaltest = coldest; neuest = latest; fruhest = earliest; letzt = last; erst = first;
    haufigst = most common; seltenst = least common; verschieden, unterschiedlich = different; fehlend = missing;
    unbekannt = unknown; monatlich = monthly; taglich = daily; wochentlich = weekly; jahrlich = yearly;
    stundlich = hourly; kumuliert = cumulative; gleitend = rolling;
""")

# Things of the world: whichever of these names a column, a value or the table.
NOUNS = _table("""
    pinguin = penguin; art = species / type / kind; spezies = species; insel = island; geschlecht = sex / gender;
    korpergewicht, korpermasse = body mass / body weight / weight; gewicht = weight / mass; masse = mass;
    flossenlange, flugellange = flipper length; schnabellange = bill length; schnabeltiefe, schnabelhohe = bill depth;
    lange = length; breite = width / latitude; hohe = height / altitude; tiefe = depth; grosse = height / size;
    alter = age; mannlich, mannchen = male / m; weiblich, weibchen = female / f; mann = man / male / m;
    frau = woman / female / f; umsatz = revenue / sales / turnover; erlos = revenue / proceeds; verkauf = sale / sales;
    bestellung, auftrag = order; rechnung = invoice; kunde = customer / client; kundin = customer / client;
    produkt = product; artikel = item / article / product; kategorie = category; menge, stuckzahl = quantity;
    preis = price; stuckpreis, einzelpreis = unit price; rabatt = discount; betrag = amount; gewinn = profit;
    zahlungsart, zahlungsmethode = payment method; stadt = city / town; land = country; region = region;
    kontinent, erdteil = continent; bevolkerung = population; einwohner = population / inhabitant;
    lebenserwartung = life expectancy; datum = date; bestelldatum = order date; zeit = time; uhrzeit = time;
    temperatur = temperature; luftfeuchtigkeit, luftfeuchte = humidity; luftdruck, druck = pressure; wind = wind;
    wetter = weather; regen = rain; schnee = snow; niederschlag = precipitation; nebel = fog; sonne = sun;
    sensor = sensor; messung, messwert = measurement / reading; name = name;
    mitarbeiter, angestellte = employee / staff; person = person / people; gehalt = salary; abteilung = department;
    standort = location; fehltag, krankheitstag, kranktag = sick day; bewertung = rating; note = grade; titel = title;
    film = movie / film; genre = genre; regisseur = director; laufzeit = runtime; flug = flight;
    fluggesellschaft = carrier / airline; verspatung = delay; entfernung, distanz = distance; passagier = passenger;
    rechnungsbetrag = total bill; trinkgeld = tip; raucher = smoker; auto, wagen = car; leistung, ps = horsepower;
    hubraum = displacement; zylinder = cylinder; herkunft = origin; hersteller = manufacturer / make / brand;
    marke = brand / make; beschleunigung = acceleration; patient = patient;
    buchung, reservierung = booking / reservation; nacht = night; gast = guest; zimmertyp = room type;
    prufung, klausur = exam; madchen = female / girl / f; station = station / ward; fahrt = trip / ride;
    fahrrad, rad = bike; haltestelle = stop; lehrer = teacher; aktie = share / stock; volumen = volume;
    schlusskurs = closing price / close price; zufriedenheit = satisfaction; nachricht = message; balkon = balcony;
    makler = agent; dringend = urgent; komodie = comedy; drama = drama; vertrag = contract / plan;
    lager = stock / warehouse; dauer = duration; geschwindigkeit = speed; einkommen = income; monatsgehalt = salary;
    lieferant = supplier; mannschaft = team; saison = season; gegner = opponent; frage = question;
    antrag = request / application; strom = electricity; energie = energy; verbrauch = consumption;
    ertrag = yield / revenue; steuer = tax; schulden = debt; konto = account; zins = interest; arzt = doctor;
    diagnose = diagnosis; praxis, klinik = clinic; besuch = visit; spiel = match / game; tor = goal;
    zuschauer = attendance / spectator; heimmannschaft = home team; haus = house; wohnung = flat / apartment;
    zimmer = room; stadtteil, bezirk, viertel = district / neighborhood; flache, wohnflache = area;
    monatsbeitrag = monthly fee; gebuhr = fee; mitglied = member; ticket = ticket; prioritat = priority;
    kanal = channel; antwort = answer / reply; anfrage = request; browser = browser; nutzer, benutzer = user;
    tod, todesfall = death; buch = book; autor = author; ausleihe = loan; zweigstelle = branch; strafe = fine;
    laden = shop / store; filiale = branch / store; quelle = source; status = status; typ = type; klasse = class;
    schule = school; schuler = student / pupil; student = student; fach = subject; punkt = point / score;
    ergebnis = result / score; stimme = vote; budget = budget; zuruckgegeben = returned;
    storniert, gestrichen = cancelled / canceled; bezahlt = paid; aktiv = active; stuhl = chair; tisch = desk / table;
    schreibtisch = desk; lampe = lamp; norden = north; suden = south; osten = east; westen = west;
    deutschland = germany; frankreich = france; spanien = spain; italien = italy; osterreich = austria;
    schweiz = switzerland; norwegen = norway; schweden = sweden; danemark = denmark; niederlande = netherlands;
    polen = poland; europa = europe; asien = asia; afrika = africa; amerika = americas; ozeanien = oceania; rom = rome;
    wien = vienna; munchen = munich; koln = cologne; mittagessen = lunch; abendessen = dinner;
""")

MONTHS = frozenset(german for german in HEADS if HEADS[german] in CALENDAR)
