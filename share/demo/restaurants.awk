# Restaurants and what might be written of them, in the form of the E2E NLG data:
# OUT/devset.csv to learn from and OUT/testset_w_refs.csv to judge by.
# usage: LC_ALL=C awk -v out=DIR -f restaurants.awk
#
# A meaning representation is a name and three to seven of the other slots; its references
# differ in order and words. None of the test's representations is in the other file. The rows
# are the same each time: the random numbers are the program's own.

BEGIN {
	seed = 20
	fill("eatType", "restaurant|pub|coffee shop")
	fill("food", "Italian|French|Indian|Chinese|Japanese|English|Fast food")
	fill("priceRange", "cheap|moderate|high|less than \302\24320|\302\24320-25|" \
	    "more than \302\24330")
	fill("customer rating", "low|average|high|1 out of 5|3 out of 5|5 out of 5")
	fill("area", "riverside|city centre")
	fill("familyFriendly", "yes|no")
	fill("near", "Harbour Lights|the Old Mill|Corner House|Station Cafe|the Lantern|" \
	    "Silver Birch|Market Hall|Blue Door")
	fill("name", "The Copper Kettle|Maple Leaf|The Golden Hare|Juniper|Three Oaks|" \
	    "Saffron House|The Quiet Man|Olive Branch|The Red Barn|Nightingale|" \
	    "Willow Garden|The Tin Whistle|Cinnamon Court|Fox and Crown")
	dear["cheap"] = "cheap |low-priced "
	dear["moderate"] = "moderately priced "
	dear["high"] = "expensive |high-priced "
	costs["cheap"] = "is cheap|has low prices"
	costs["moderate"] = "is moderately priced|has moderate prices"
	costs["high"] = "is expensive|has high prices"
	slots = split("eatType|food|priceRange|customer rating|area|familyFriendly|near", \
	    slot, "|")
	rows_of(out "/devset.csv", 620, 6, 8)
	rows_of(out "/testset_w_refs.csv", 150, 4, 5)
}

function fill(key, values)
{
	choices[key] = split(values, list, "|")
	for (i = 1; i <= choices[key]; i++)
		choice[key, i] = list[i]
}

# A number from 1 to n (Park and Miller's generator).
function draw(n)
{
	seed = seed * 16807 % 2147483647
	return int(seed / 2147483647 * n) + 1
}

# One of several phrasings.
function one_of(phrasings,    list)
{
	return list[draw(split(phrasings, list, "|"))]
}

function rows_of(file, meanings, least, most,    mr, i, n, tries, text, rows, said)
{
	print "mr,ref" >file
	while (meanings > 0) {
		mr = draw_meaning()
		if (mr in used)
			continue
		used[mr] = 1
		meanings--
		n = least + draw(most - least + 1) - 1
		for (i = tries = 0; i < n && tries < 40; tries++) {
			text = describe()
			if ((mr, text) in said)
				continue
			said[mr, text] = 1
			printf "\"%s\",\"%s\"\n", mr, text >file
			rows++
			i++
		}
	}
	close(file)
}

function draw_meaning(    i, wanted, left, mr)
{
	for (i in has)
		delete has[i]
	has["name"] = choice["name", draw(choices["name"])]
	mr = "name[" has["name"] "]"
	wanted = 2 + draw(5)
	left = slots
	for (i = 1; i <= slots; i++) {
		if (draw(left--) > wanted)
			continue
		wanted--
		has[slot[i]] = choice[slot[i], draw(choices[slot[i]])]
		mr = mr ", " slot[i] "[" has[slot[i]] "]"
	}
	return mr
}

# ---- a meaning in words ------------------------------------------------------------------

function describe(    text, n, rest, i, k)
{
	for (i in said_of)
		delete said_of[i]
	text = opening()
	n = 0
	for (i = 1; i <= slots; i++)
		if (has[slot[i]] != "" && !(slot[i] in said_of))
			rest[++n] = clause(slot[i])
	while (n > 0) {
		k = draw(n)
		if (n > 1 && draw(3) == 1) {
			text = text " It " rest[k]
			rest[k] = rest[n--]
			k = draw(n)
			text = text " and it " rest[k] "."
		} else
			text = text one_of(" It | The place | " has["name"] " ") rest[k] "."
		rest[k] = rest[n--]
	}
	return text
}

function opening(    place, thing, way)
{
	place = where()
	thing = what()
	way = draw(place == "" ? 2 : 4)
	if (way == 1)
		return has["name"] " is " thing place "."
	if (way == 2)
		return one_of("There is |You can find ") thing one_of(" called | named ") \
		    has["name"] place "."
	if (way == 3)
		return one_of("Located|Situated|Found") place ", " has["name"] " is " thing "."
	place = substr(place, 2)
	return toupper(substr(place, 1, 1)) substr(place, 2) " " \
	    one_of("there is |you can find |is ") thing one_of(" called | named ") \
	    has["name"] "."
}

# " in the city centre near Blue Door", as far as it is known.
function where(    text)
{
	if (has["area"] == "riverside")
		text = one_of(" by the river| in the riverside area| on the riverside")
	else if (has["area"] != "")
		text = one_of(" in the city centre| in the centre of the city")
	said_of["area"] = 1
	if (has["near"] != "" && draw(4) > 1) {
		text = text one_of(" near | close to | next to ") has["near"]
		said_of["near"] = 1
	}
	return text
}

# "a cheap Italian pub", as far as it is known.
function what(    text)
{
	if (has["familyFriendly"] == "yes" && draw(3) == 1) {
		text = one_of("family-friendly |child-friendly ")
		said_of["familyFriendly"] = 1
	}
	if (has["priceRange"] in dear && draw(2) == 1) {
		text = text one_of(dear[has["priceRange"]])
		said_of["priceRange"] = 1
	}
	if (has["food"] != "" && draw(2) == 1) {
		text = text (has["food"] == "Fast food" ? "fast food" : has["food"]) " "
		said_of["food"] = 1
	}
	text = text (has["eatType"] != "" ? has["eatType"] : one_of("place|venue"))
	said_of["eatType"] = 1
	return (text ~ /^[aeiouAEIOU]/ ? "an " : "a ") text
}

function clause(key,    value)
{
	value = has[key]
	if (key == "food" && value == "Fast food")
		return one_of("serves fast food|offers fast food")
	if (key == "food")
		return one_of("serves |offers |has ") value one_of(" food| dishes| cuisine")
	if (key == "priceRange")
		return one_of(value in costs ? costs[value] : \
		    "costs " value "|has prices of " value "|has a price range of " value)
	if (key == "customer rating" && value ~ /out of/)
		return one_of("is rated |has a customer rating of ") value
	if (key == "customer rating")
		return one_of("has " (value == "average" ? "an " : "a ") value \
		    " customer rating|is rated " value " by its customers")
	if (key == "near")
		return one_of("is near |is close to |can be found near ") value
	if (value == "yes")
		return one_of("is family friendly|welcomes children|is good for families")
	return one_of("is not family friendly|does not welcome children|is not for families")
}
